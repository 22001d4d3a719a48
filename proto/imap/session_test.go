package imap_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
)

// talker speaks to a server word by word.
type talker struct {
	t   testing.TB
	nc  net.Conn
	r   *bufio.Reader
	tag int
}

func talk(t testing.TB, addr string) *talker {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	k := &talker{t: t, nc: nc, r: bufio.NewReader(nc)}
	k.want("* OK [CAPABILITY ")
	return k
}

// loggedIn is talk with the login behind it.
func loggedIn(t testing.TB, addr, user string) *talker {
	t.Helper()
	k := talk(t, addr)
	k.ask("LOGIN "+user+" secret", "OK")
	return k
}

func (k *talker) say(text string) {
	k.t.Helper()
	if _, err := io.WriteString(k.nc, text); err != nil {
		k.t.Fatal(err)
	}
}

// line reads a line.
func (k *talker) line() string {
	k.t.Helper()
	line, err := k.r.ReadString('\n')
	if err != nil {
		k.t.Fatalf("%q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// want reads a line that begins so.
func (k *talker) want(start string) string {
	k.t.Helper()
	line := k.line()
	if !strings.HasPrefix(line, start) {
		k.t.Fatalf("want %q, got %q", start, line)
	}
	return line
}

// ask says a command and gives the lines before its status, which must begin
// so.
func (k *talker) ask(command, status string) []string {
	k.t.Helper()
	k.tag++
	tag := fmt.Sprintf("t%d ", k.tag)
	k.say(tag + command + "\r\n")
	var lines []string
	for {
		line := k.line()
		if got, ok := strings.CutPrefix(line, tag); ok {
			if !strings.HasPrefix(got, status) {
				k.t.Fatalf("%s: want %s, got %s", command, status, got)
			}
			return append(lines, got)
		}
		lines = append(lines, line)
	}
}

// wrapTLS shakes hands.
func (k *talker) wrapTLS() {
	tc := tls.Client(k.nc, testcert.Client(k.t))
	k.nc, k.r = tc, bufio.NewReader(tc)
}

// end wants the server to hang up.
func (k *talker) end() {
	k.t.Helper()
	if rest, err := io.ReadAll(k.r); len(rest) > 0 || err != nil && !isReset(err) {
		k.t.Errorf("want the end, got %q, %v", rest, err)
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

// onEngines runs a test over both engines.
func onEngines(t *testing.T, f func(t *testing.T, addr string, b *toy)) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			b := filled()
			f(t, servertest.Serve(t, &server.Server{Handler: handler(b), Engine: e()}), b)
		})
	}
}

// TestIdle has one session wait while another changes the mailbox, and mail
// come in.
func TestIdle(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, b *toy) {
		k, other := loggedIn(t, addr, "mrc"), loggedIn(t, addr, "mrc")
		k.ask("SELECT INBOX", "OK")
		other.ask("SELECT INBOX", "OK")
		for range 3 {
			k.say("i IDLE\r\n")
			k.want("+ ")
			b.put("mrc", "INBOX", note)
			k.want("* 4 EXISTS")
			k.want("* 0 RECENT")
			other.ask(`STORE 1 FLAGS (\Deleted)`, "OK")
			k.want(`* 1 FETCH (FLAGS (\Deleted))`)
			other.ask("EXPUNGE", "OK")
			k.want("* 1 EXPUNGE")
			k.say("DONE\r\n")
			k.want("i OK IDLE completed")
		}
		k.say("i IDLE\r\nDONE\r\nn NOOP\r\n") // in one flight
		k.want("+ ")
		k.want("i OK")
		k.want("n OK")
	})
}

// TestNumbersStay has messages vanish while another session counts on them
// (RFC 9051 section 7.5.1, RFC 2180 section 4).
func TestNumbersStay(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, _ *toy) {
		k, other := loggedIn(t, addr, "mrc"), loggedIn(t, addr, "mrc")
		k.ask("SELECT INBOX", "OK")
		other.ask("SELECT INBOX", "OK")
		other.ask(`STORE 1 FLAGS (\Deleted)`, "OK")
		other.ask("EXPUNGE", "OK")
		if lines := k.ask("FETCH 1:3 UID", "NO [EXPUNGEISSUED]"); len(lines) != 3 || lines[0] != "* 2 FETCH (UID 2)" {
			t.Errorf("FETCH told %q", lines)
		}
		k.ask("STORE 1 FLAGS x", "NO [EXPUNGEISSUED]")
		if lines := k.ask("SEARCH ALL", "OK"); lines[0] != "* SEARCH 2 3" || len(lines) != 2 {
			t.Errorf("SEARCH told %q", lines)
		}
		if lines := k.ask("UID FETCH 1:3 UID", "OK"); len(lines) != 4 || lines[2] != "* 1 EXPUNGE" {
			t.Errorf("UID FETCH told %q", lines)
		}
		if lines := k.ask("FETCH 1:2 UID", "OK"); len(lines) != 3 || lines[0] != "* 1 FETCH (UID 2)" {
			t.Errorf("FETCH told %q", lines)
		}
	})
}

// TestMailboxGoes has the mailbox deleted under a session.
func TestMailboxGoes(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, _ *toy) {
		k, other := loggedIn(t, addr, "mrc"), loggedIn(t, addr, "mrc")
		k.ask("SELECT Sent", "OK")
		k.say("i IDLE\r\n")
		k.want("+ ")
		other.ask("SELECT Sent", "OK")
		if lines := other.ask("DELETE Sent", "OK"); len(lines) != 2 || !strings.HasPrefix(lines[0], "* OK [CLOSED]") {
			t.Errorf("DELETE told %q", lines)
		}
		k.want("* BYE [NONEXISTENT]")
		k.end()
		other.ask("SELECT Sent", "NO [NONEXISTENT]")
		other.ask("FETCH 1 UID", "BAD")
	})
}

func TestStartTLS(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			h := handler(filled())
			h.TLS = testcert.Server(t)
			addr := servertest.Serve(t, &server.Server{Handler: h, Engine: e()})
			k := talk(t, addr)
			k.ask("STARTTLS", "OK")
			k.wrapTLS()
			if lines := k.ask("CAPABILITY", "OK"); strings.Contains(lines[0], "STARTTLS") {
				t.Errorf("under TLS: %s", lines[0])
			}
			k.ask("STARTTLS", "BAD")
			k.ask("LOGIN mrc secret", "OK")
			early := talk(t, addr)
			early.say("a STARTTLS\r\nb NOOP\r\n")
			early.want("a OK")
			early.end()
		})
	}
}

// TestPlainOnlyPrivate keeps passwords off the wire in clear, from elsewhere.
func TestPlainOnlyPrivate(t *testing.T) {
	ours, theirs := net.Pipe()
	srv := &server.Server{Handler: handler(filled())}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(t.Context(), transcript.Once(elsewhere{theirs})) }()
	k := &talker{t: t, nc: ours, r: bufio.NewReader(ours)}
	if line := k.want("* OK"); !strings.Contains(line, " LOGINDISABLED") || strings.Contains(line, "AUTH=PLAIN") || !strings.Contains(line, "AUTH=SCRAM-SHA-256") {
		t.Error(line)
	}
	k.ask("LOGIN mrc secret", "NO [PRIVACYREQUIRED]")
	k.ask("AUTHENTICATE PLAIN AG1yYwBzZWNyZXQ=", "NO [PRIVACYREQUIRED]")
	k.ask("AUTHENTICATE X-NEVER", "NO [CANNOT]")
	k.ask("LOGOUT", "OK")
	if err := <-done; !errors.Is(err, net.ErrClosed) { // nobody else will come
		t.Error(err)
	}
}

// elsewhere is a connection from another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

func TestLimits(t *testing.T) {
	b := filled()
	h := handler(b)
	h.Limits = imap.Limits{Message: 100, Append: 2, Command: 2000, Line: 1000}
	addr := servertest.Serve(t, &server.Server{Handler: h})
	k := loggedIn(t, addr, "mrc")
	k.ask("APPEND INBOX {101}", "NO [TOOBIG]")
	k.ask("APPEND INBOX {1+}\r\nx {1+}\r\nx {1+}\r\nx", "NO [LIMIT]")
	k.ask("STATUS {3000}", "BAD")
	k.ask("STATUS {5}\r\nINBOX (MESSAGES)", "OK")
	b.account("mrc").limit = 1
	k.ask("APPEND INBOX {5}", "NO [OVERQUOTA]")
	k.ask("APPEND INBOX {5+}\r\n12345 {3+}\r\nabc", "NO [OVERQUOTA]")
	k.ask("NOOP", "OK")
	k.say("x APPEND INBOX {1000000+}\r\n")
	k.want("* BYE [TOOBIG]")
	k.end()
	k = loggedIn(t, addr, "mrc")
	k.say("x " + strings.Repeat("y", 1100) + "\r\n")
	k.want("* BYE [TOOBIG]")
	k = talk(t, addr)
	k.ask("LOGIN mrc {20000}", "BAD")
	k.ask("LOGIN mrc a", "NO")
	k.ask("LOGIN mrc b", "NO")
	k.say("x LOGIN mrc c\r\n")
	k.want("* BYE")
	k.end()
	k = loggedIn(t, addr, "mrc")
	for range 19 {
		k.ask("FOO", "BAD")
	}
	k.say("x FOO\r\n")
	k.want("x BAD")
	k.want("* BYE")
	k.end()
}

// TestPipelined has many commands come in one flight.
func TestPipelined(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, _ *toy) {
		k := talk(t, addr)
		k.say("a LOGIN mrc secret\r\nb SELECT INBOX\r\nc STORE 1:3 +FLAGS.SILENT (\\Deleted)\r\nd EXPUNGE\r\ne APPEND INBOX {3+}\r\na:b\r\nf UID FETCH 4 BODY.PEEK[]\r\ng LOGOUT\r\n")
		var got []string
		for {
			line := k.line()
			got = append(got, line)
			if strings.HasPrefix(line, "g OK") {
				break
			}
		}
		all := strings.Join(got, "\n")
		for _, want := range []string{"* 1 EXPUNGE\n* 1 EXPUNGE\n* 1 EXPUNGE\nd OK", "* 1 EXISTS\n* 0 RECENT\ne OK [APPENDUID 1 4]", "* 1 FETCH (UID 4 BODY[] {3}\na:b)\nf OK"} {
			if !strings.Contains(all, want) {
				t.Errorf("%q is not in\n%s", want, all)
			}
		}
		k.end()
	})
}

// TestStops has the server say goodbye to those who wait.
func TestStops(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			srv := &server.Server{Handler: handler(filled()), Engine: e()}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(ctx, l) }()
			k := loggedIn(t, l.Addr().String(), "mrc")
			k.ask("SELECT INBOX", "OK")
			k.say("i IDLE\r\n")
			k.want("+ ")
			cancel()
			k.want("* BYE")
			k.end()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// A message that comes where none can is no commands (RFC 7888 section 4).
func TestMessageOutOfPlace(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			addr := servertest.Serve(t, &server.Server{Handler: handler(filled()), Engine: e()})
			k := talk(t, addr)
			k.say("a APPEND INBOX {23+}\r\nx LOGIN mrc secret\r\nz\r\n\r\n")
			k.want("a BAD Please log in first")
			k.say("a APPEND INBOX {22}\r\n")
			k.want("a BAD Please log in first")
			k.ask("LOGIN mrc secret", "OK")
			k.say("b UID APPEND INBOX {8+}\r\nx NOOP\r\n\r\nc REPLACE 1 INBOX (\\Seen) {8+}\r\nx NOOP\r\n {8+}\r\nx NOOP\r\n\r\n")
			k.want("b BAD Unknown command")
			k.want("c BAD No mailbox is selected")
			k.ask("NOOP", "OK")
			big := talk(t, addr)
			big.say("a APPEND INBOX {100000+}\r\n")
			big.want("* BYE [TOOBIG]")
			big.end()
		})
	}
}
