//go:build unix

package cli

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
	"github.com/farend-go/farend/server"
)

// TestTalkTelnetPipe has lines end with LF at both ends of the pipe, and with CR
// LF on the way; 255 goes through, and nothing of the negotiation comes out.
func TestTalkTelnetPipe(t *testing.T) {
	answer := func(_ *telnet.Terminal, line string) (string, bool) { return "[" + line + "]\n", line != "exit" }
	s := telnettest.New(t, answer, telnettest.Options{Handler: func(h *telnet.Handler) { h.Eager = true }})
	got := farend(t, "one\xff\ntwo\nexit\n", "talk", "telnet://"+s.Addr)
	if want := "% [one\xff]\n% [two]\n% [exit]\n"; got.code != 0 || got.out != want {
		t.Errorf("exit %d, %q and %q, want %q", got.code, got.out, got.err, want)
	}
	got = farend(t, "", "talk", "-w", "20", "telnet://"+strings.Replace(s.Addr, "127.0.0.1", "nobody@127.0.0.1", 1))
	if got.code == 0 || strings.Count(got.err, "\n") != 1 {
		t.Errorf("with a user: exit %d, %q", got.code, got.err)
	}
}

// TestTalkTelnetPipeOfCRLF pipes more than is read at once, cut between the CR and
// the LF of a line's end: no NUL comes between them.
func TestTalkTelnetPipeOfCRLF(t *testing.T) {
	text := strings.Repeat("x", keysAtOnce-1) + "\r\ny\r"
	typed := make(chan string, 1)
	addr := servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, nc net.Conn) error {
		b, err := io.ReadAll(nc)
		typed <- string(b)
		return err
	})})
	if got := farend(t, text, "talk", "telnet://"+addr); got.code != 0 {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	if got := strings.TrimLeft(<-typed, "x"); got != "\r\ny\r\x00" {
		t.Errorf("%q behind the x", got)
	}
}

// TestTalkTelnetOnATerminal edits a line here, then has the server echo; ^]
// calls the menu.
func TestTalkTelnetOnATerminal(t *testing.T) {
	answer := func(c *telnet.Terminal, line string) (string, bool) { return "[" + line + " " + c.Type() + "]\n", true }
	s := telnettest.New(t, answer, telnettest.Options{Login: true})
	d := sit(t, "talk", "telnet://"+s.Addr)
	d.sees(t, "login: ")
	d.press(t, "userr\x7f\r")
	d.sees(t, "Password: ")
	d.press(t, telnettest.Password+"\r")
	d.sees(t, telnettest.Prompt)
	d.press(t, "one\r")
	if all := d.sees(t, "[one XTERM]"); strings.Contains(all, telnettest.Password) {
		t.Errorf("the password is on the screen: %q", all)
	}
	d.press(t, "\x1dsend ayt\r")
	d.sees(t, "[Yes]")
	d.press(t, "\x1dclose\r")
	d.over(t, 0)
}
