//go:build interop

package smtp_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/smtp"
)

// sink starts smtp-sink, which takes everything and keeps it in a file.
func sink(t *testing.T, args ...string) (addr, file string) {
	t.Helper()
	name := foreign.Program(t, "smtp-sink")
	file = filepath.Join(t.TempDir(), "mail")
	if os.Getuid() == 0 {
		args = append(args, "-u", "root")
	}
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(name, append(append(args, "-D", file), "127.0.0.1:"+port, "100")...)
	})
	return "127.0.0.1:" + port, file
}

// TestOurClientAtSMTPSink leaves one extension after the other away.
func TestOurClientAtSMTPSink(t *testing.T) {
	for name, args := range map[string][]string{"all": nil, "no PIPELINING": {"-p"}, "no 8BITMIME": {"-8"}, "no ESMTP": {"-e"}, "LMTP": {"-L"}} {
		t.Run(name, func(t *testing.T) {
			addr, file := sink(t, args...)
			ctx := within(t)
			c, err := smtp.Dial(ctx, "tcp:"+addr, smtp.Options{LMTP: name == "LMTP"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for i := range 3 {
				body := fmt.Sprintf("Subject: %d\n\n.dot\n", i) + strings.Repeat("0123456789\n", i*10_000)
				if r, err := c.Send(ctx, message(t, strings.NewReader(body), "a@x.test", "b@x.test")); err != nil || r.Accepted() != 2 {
					t.Errorf("%+v, %v", r, err)
				}
			}
			if err := c.Quit(ctx); err != nil {
				t.Error(err)
			}
			kept, err := os.ReadFile(file)
			if err != nil || bytes.Count(kept, []byte("\n.dot\n")) != 3 || bytes.Count(kept, []byte("0123456789\n")) != 30_000 {
				t.Errorf("%d bytes, %v", len(kept), err)
			}
		})
	}
	t.Run("refusals", func(t *testing.T) {
		for flag, code := range map[string]int{"-f": 500, "-r": 450} { // hard and soft
			for _, verb := range []string{"MAIL", "RCPT", "DATA", "."} {
				addr, _ := sink(t, flag, verb)
				c, err := smtp.Dial(within(t), "tcp:"+addr, smtp.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if r, err := c.Send(within(t), message(t, strings.NewReader("x\n"), "a@x.test")); !isReply(err, code) || r.Accepted() != 0 {
					t.Errorf("%s %s: %+v, %v", flag, verb, r, err)
				}
				c.Close()
			}
		}
	})
}
