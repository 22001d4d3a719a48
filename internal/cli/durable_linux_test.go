package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// What SMTP has acknowledged is there exactly once after the process was killed
// at any moment, by POP3 and by IMAP.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	cycles := 20
	if testing.Short() {
		cycles = 3
	}
	dir := filepath.Join(t.TempDir(), "data")
	sent := &acknowledged{numbers: map[int]bool{}}
	for cycle := range cycles {
		s := durable(t, dir)
		sent.while(t, s, cycle)
		s.kill()
	}
	s := durable(t, dir)
	defer s.kill()
	byPOP3, byIMAP := s.byPOP3(), s.byIMAP()
	if len(sent.numbers) < cycles {
		t.Errorf("%d messages were acknowledged in %d cycles: that shows nothing", len(sent.numbers), cycles)
	}
	for name, found := range map[string]map[int]int{"POP3": byPOP3, "IMAP": byIMAP} {
		for n := range sent.numbers {
			if found[n] != 1 {
				t.Errorf("%s: message %d, which was acknowledged, is there %d times", name, n, found[n])
			}
		}
		for n, times := range found {
			if times != 1 { // one whose answer was lost may be there, or not
				t.Errorf("%s: message %d is there %d times", name, n, times)
			}
		}
	}
	if !maps.Equal(byPOP3, byIMAP) {
		t.Errorf("POP3 shows %d messages, IMAP %d", len(byPOP3), len(byIMAP))
	}
	t.Logf("%d acknowledged, %d there, after %d deaths", len(sent.numbers), len(byPOP3), cycles)
}

// keeper is a farend serve that will be killed.
type keeper struct {
	t    *testing.T
	cmd  *exec.Cmd
	at   map[string]string
	died sync.Once
}

func durable(t *testing.T, dir string) *keeper {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ready")
	args := []string{
		"serve", "--ready-file", file, "-q", "--user", "ann:secret", "--data", dir,
		"--listen", "smtp=127.0.0.1:0", "--listen", "pop3=127.0.0.1:0", "--listen", "imap=127.0.0.1:0",
		"--listen", "nntp=127.0.0.1:0", "--group", "local.a", "--group", "local.b",
	}
	k := &keeper{t: t, cmd: exec.Command(self, "-test.run=^TestRunCommand$"), at: map[string]string{}}
	k.cmd.Env = append(os.Environ(), runAsVariable+"=farend", runArgsVariable+"="+strings.Join(args, " "))
	k.cmd.Stderr = os.Stderr
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.kill)
	for _, l := range waitForFile(t, file).Services {
		k.at[l.Name] = l.Address
	}
	return k
}

func (k *keeper) kill() {
	k.died.Do(func() {
		_ = k.cmd.Process.Signal(syscall.SIGKILL)
		_ = k.cmd.Wait() // it was killed
	})
}

// acknowledged are the numbers of messages whose Commit was told.
type acknowledged struct {
	mu      sync.Mutex
	numbers map[int]bool
	next    atomic.Int64
}

// while sends from several connections until the server dies, a while after the
// first messages are in.
func (a *acknowledged) while(t *testing.T, k *keeper, cycle int) {
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var wg sync.WaitGroup
	var here atomic.Int64
	for range 8 {
		wg.Go(func() {
			c, err := smtp.Dial(ctx, "tcp:"+k.at["smtp"], smtp.Options{Security: smtp.InClear})
			if err != nil {
				return // it was killed before
			}
			defer c.Close()
			for {
				n := int(a.next.Add(1))
				m, err := smtp.NewMessage("a@x.test", []string{"ann@example.test"}, strings.NewReader(numbered(n)))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Send(ctx, m); err != nil {
					return
				}
				a.mu.Lock()
				a.numbers[n] = true
				a.mu.Unlock()
				// Each cycle dies a little later, in the middle of whatever is done then.
				if here.Add(1) == int64(3+cycle*cycle%41) {
					k.kill()
				}
			}
		})
	}
	wg.Wait()
}

func numbered(n int) string {
	return fmt.Sprintf("From: a@x.test\r\nSubject: number %d\r\n\r\n%s\r\n", n, strings.Repeat("body ", n%700))
}

// numberOf finds the number in a line of a header.
func numberOf(line string) (int, bool) {
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "Subject: number ")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

func (k *keeper) byPOP3() map[int]int {
	k.t.Helper()
	ctx := k.t.Context()
	c, err := pop3.Dial(ctx, "tcp:"+k.at["pop3"], pop3.Options{})
	if err != nil {
		k.t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret"}); err != nil {
		k.t.Fatal(err)
	}
	count, _, err := c.Stat(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	found := map[int]int{}
	for i := range count {
		body, err := c.Top(ctx, i+1, 0)
		if err != nil {
			k.t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			k.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if n, ok := numberOf(line); ok {
				found[n]++
			}
		}
	}
	return found
}

func (k *keeper) byIMAP() map[int]int {
	k.t.Helper()
	c, err := net.Dial("tcp", k.at["imap"])
	if err != nil {
		k.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, "a LOGIN ann secret\r\nb EXAMINE INBOX\r\nc FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\nd LOGOUT\r\n"); err != nil {
		k.t.Fatal(err)
	}
	found := map[int]int{}
	lines := bufio.NewScanner(c)
	ended := false
	for lines.Scan() {
		if n, ok := numberOf(lines.Text()); ok {
			found[n]++
		}
		ended = ended || strings.HasPrefix(lines.Text(), "d OK")
	}
	if !ended || lines.Err() != nil {
		k.t.Fatalf("IMAP was cut off: %v", lines.Err())
	}
	return found
}
