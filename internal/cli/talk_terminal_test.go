//go:build unix

package cli

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// desk is a pseudo-terminal, seen from the side of keyboard and screen.
type desk struct {
	keys, tty *os.File
	mu        sync.Mutex
	changed   *sync.Cond
	shown     bytes.Buffer
	done      chan int
}

// sit runs farend on a pseudo-terminal.
func sit(t *testing.T, args ...string) *desk {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	d := &desk{keys: keys, tty: tty, done: make(chan int, 1)}
	d.changed = sync.NewCond(&d.mu)
	t.Cleanup(func() { tty.Close(); keys.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := keys.Read(b)
			d.mu.Lock()
			d.shown.Write(b[:n])
			d.changed.Broadcast()
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { d.done <- Main(t.Context(), args, tty, tty, tty, []string{"TERM=xterm"}) }()
	return d
}

// sees waits for text on the screen and gives what stands there.
func (d *desk) sees(t *testing.T, text string) string {
	t.Helper()
	late := false
	timer := time.AfterFunc(20*time.Second, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		late = true
		d.changed.Broadcast()
	})
	defer timer.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for !strings.Contains(d.shown.String(), text) {
		if late {
			t.Fatalf("no %q on the screen: %q", text, d.shown.String())
		}
		d.changed.Wait()
	}
	return d.shown.String()
}

func (d *desk) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := d.keys.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) over(t *testing.T, want int) {
	t.Helper()
	if code := <-d.done; code != want {
		t.Errorf("status %d, want %d", code, want)
	}
	state, err := term.GetState(int(d.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := term.MakeRaw(int(d.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	after, err := term.GetState(int(d.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if *raw == *after || *state == *after {
		t.Error("the terminal was left in raw mode")
	}
}

func TestTalkOnATerminal(t *testing.T) {
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	serveCapitals(t, nil, l)
	d := sit(t, "talk", "-C", l.Addr().String())
	d.sees(t, "connected "+l.Addr().String())
	d.sees(t, "crlf> ")
	d.press(t, "hello\r")
	d.sees(t, "HELLO\r\n")
	d.press(t, ":crlf off\r\x1b[A\x1b[A there\r")
	d.sees(t, "HELLO THERE\r\n")
	d.press(t, "\x04")
	d.sees(t, "the peer closed\r\n")
	d.over(t, 0)
}

func TestTalkEndsOnCtrlC(t *testing.T) {
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	serveCapitals(t, nil, l)
	d := sit(t, "talk", l.Addr().String())
	d.sees(t, "> ")
	d.press(t, "half a line\x03")
	d.over(t, exitInterrupted)
}

func TestTalkListensOnATerminal(t *testing.T) {
	d := sit(t, "talk", "-l", ":0")
	m := listeningLine.FindStringSubmatch(strings.ReplaceAll(d.sees(t, "\n"), "\r", ""))
	if m == nil {
		t.Fatal("no address")
	}
	c, err := net.Dial("tcp", m[1])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "from the client\r\n"); err != nil {
		t.Fatal(err)
	}
	d.sees(t, "from the client\r\n")
	d.press(t, "220 by hand\r:quit\r")
	d.over(t, 0)
	if b, err := io.ReadAll(c); err != nil || string(b) != "220 by hand\n" {
		t.Errorf("the client got %q, %v", b, err)
	}
}
