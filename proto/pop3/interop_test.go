//go:build interop

package pop3_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
)

// poplibEvery calls every method of Python's poplib.
const poplibEvery = `
import hashlib, poplib, ssl, sys
host, port, mode, way = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl._create_unverified_context()
p = poplib.POP3_SSL(host, port, context=context) if mode == "tls" else poplib.POP3(host, port)
p.set_debuglevel(0)
assert p.getwelcome().startswith(b"+OK POP3 server ready <"), p.getwelcome()
caps = p.capa()
assert "UIDL" in caps and "TOP" in caps and "PIPELINING" in caps, caps
if mode == "stls":
    assert "STLS" in caps
    assert p.stls(context).startswith(b"+OK")
    caps = p.capa()
assert ("STLS" in caps) == (mode == "clear"), caps
assert p.utf8().startswith(b"+OK")
if way == "apop":
    assert p.apop("user", "password").startswith(b"+OK")
else:
    try:
        p.user("user"); p.pass_("wrong")
        sys.exit("a wrong password")
    except poplib.error_proto as e:
        assert b"[AUTH]" in e.args[0], e
    assert p.user("user").startswith(b"+OK")
    assert p.pass_("password") == b"+OK maildrop has 3 messages (%d octets)" % p.stat()[1]
assert p.stat()[0] == 3
resp, listing, octets = p.list()
assert len(listing) == 3 and listing[0].startswith(b"1 "), listing
assert p.list(2).startswith(b"+OK 2 ")
resp, uids, octets = p.uidl()
assert len(uids) == 3 and uids[1].startswith(b"2 uid-"), uids
assert p.uidl(3).startswith(b"+OK 3 uid-")
resp, lines, octets = p.retr(1)
assert lines == [b"Subject: a", b"", b".dot", b"..two", b"."], lines
resp, lines, octets = p.top(2, 1)
assert lines == [b"Subject: b", b"", b"1"], lines
assert p.dele(1).startswith(b"+OK")
for bad in (lambda: p.dele(1), lambda: p.retr(99), lambda: p.rpop("user"), lambda: p.list(1), lambda: p.uidl(1)):
    try:
        bad()
        sys.exit("not refused")
    except poplib.error_proto:
        pass
assert p.stat()[0] == 2
assert p.rset().startswith(b"+OK")
assert p.stat()[0] == 3
assert p.noop().startswith(b"+OK")
if way == "apop":
    p.dele(3)
    p.quit()
else:
    p.dele(2)
    p.close()
print("done")
`

func TestTutorial75_PoplibAtOurServer(t *testing.T) {
	python := foreign.Python(t, 3, "poplib")
	for _, mode := range []string{"clear", "stls", "tls"} {
		messages := []string{"Subject: a\n\n.dot\n..two\n.\n", "Subject: b\n\n1\n2\n3\n", "c"}
		both(t, pop3test.Options{Messages: messages, Implicit: mode == "tls"}, func(t *testing.T, s *pop3test.Server) {
			host, port, err := net.SplitHostPort(s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			for _, way := range []string{"user", "apop"} {
				if out := foreign.Run(t, t.TempDir(), python, "-c", poplibEvery, host, port, mode, way); !strings.Contains(out, "done") {
					t.Errorf("%s %s: %s", mode, way, out)
				}
				s.Wait(t.Context(), pop3test.User)
				if want := map[string]int{"user": 3, "apop": 2}[way]; len(s.Messages(pop3test.User)) != want {
					t.Errorf("%s %s: %d messages are left, want %d", mode, way, len(s.Messages(pop3test.User)), want)
				}
			}
		})
	}
}

func TestTutorial75_CurlAtOurServer(t *testing.T) {
	curl := foreign.Program(t, "curl")
	for _, implicit := range []bool{false, true} {
		both(t, pop3test.Options{Messages: []string{"Subject: a\n\n.dot\n", "b"}, Implicit: implicit}, func(t *testing.T, s *pop3test.Server) {
			at := map[bool]string{false: "pop3://", true: "pop3s://"}[implicit] + s.Addr
			for _, options := range [][]string{
				{}, {"--ssl-reqd"}, {"--login-options", "AUTH=+APOP"}, {"--login-options", "AUTH=PLAIN", "--sasl-ir"},
				{"--login-options", "AUTH=LOGIN"}, {"--login-options", "AUTH=CRAM-MD5"}, {"--login-options", "AUTH=SCRAM-SHA-256"}, {"--login-options", "AUTH=SCRAM-SHA-1"},
			} {
				if len(options) > 1 && strings.HasPrefix(options[1], "AUTH=SCRAM") && !strings.Contains(foreign.Run(t, t.TempDir(), curl, "--version"), "gsasl") {
					continue // built without
				}
				base := append([]string{"-sSk", "--max-time", "30", "-u", pop3test.User + ":" + pop3test.Password}, options...)
				if out := foreign.Run(t, t.TempDir(), curl, append(base, at+"/")...); out != "1 18\r\n2 3\r\n" && out != "1 20\r\n2 3\r\n" {
					t.Errorf("%v: %q", options, out)
				}
				if out := foreign.Run(t, t.TempDir(), curl, append(base, at+"/1")...); out != "Subject: a\r\n\r\n.dot\r\n" {
					t.Errorf("%v: %q", options, out)
				}
				if out := foreign.Run(t, t.TempDir(), curl, append(base, "-X", "UIDL", at+"/")...); !strings.Contains(out, "2 uid-") {
					t.Errorf("%v: %q", options, out)
				}
				foreign.Run(t, t.TempDir(), curl, append(base, "-I", "-X", "NOOP", at+"/")...)
			}
		})
	}
}

func TestTutorial75_MpopAtOurServer(t *testing.T) {
	mpop := foreign.Program(t, "mpop")
	for _, implicit := range []bool{false, true} {
		both(t, pop3test.Options{Messages: many(40), Implicit: implicit}, func(t *testing.T, s *pop3test.Server) {
			host, port, err := net.SplitHostPort(s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			security := map[bool][]string{false: {"--tls=on", "--tls-starttls=on", "--tls-certcheck=off"}, true: {"--tls=on", "--tls-starttls=off", "--tls-certcheck=off"}}[implicit]
			for _, way := range []string{"user", "apop", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"} {
				dir := t.TempDir()
				for _, sub := range []string{"cur", "new", "tmp"} {
					if err := os.MkdirAll(filepath.Join(dir, "m", sub), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				args := append([]string{
					"--host=" + host, "--port=" + port, "--auth=" + way, "--user=" + pop3test.User, "--passwordeval=echo " + pop3test.Password,
					"--keep=on", "--uidls-file=" + filepath.Join(dir, "seen"), "--delivery=maildir,m", "-q",
				}, security...)
				if strings.HasPrefix(way, "scram") && !strings.Contains(foreign.Run(t, dir, mpop, "--version"), strings.ToUpper(way)) {
					continue
				}
				for range 2 { // the second time nothing is new
					foreign.Run(t, dir, mpop, args...)
				}
				if got, err := os.ReadDir(filepath.Join(dir, "m", "new")); err != nil || len(got) != 40 {
					t.Errorf("%s: %d messages, %v", way, len(got), err)
				}
			}
			dir := t.TempDir()
			foreign.Run(t, dir, mpop, append([]string{
				"--host=" + host, "--port=" + port, "--user=" + pop3test.User, "--passwordeval=echo " + pop3test.Password,
				"--keep=off", "--uidls-file=seen", "--delivery=mbox,box", "-q",
			}, security...)...)
			s.Wait(t.Context(), pop3test.User)
			if left := len(s.Messages(pop3test.User)); left != 0 {
				t.Errorf("%d messages are left", left)
			}
		})
	}
}

// fill puts messages into a maildrop of dovecot's.
func fill(t *testing.T, dir, name string, messages []string) {
	t.Helper()
	home := filepath.Join(dir, "home", name)
	for _, sub := range []string{"", "cur", "new", "tmp"} {
		foreign.Give(t, filepath.Join(home, sub), "mail")
	}
	for i, text := range messages {
		at := filepath.Join(home, "new", fmt.Sprintf("%d.M%06d.farend", 1_700_000_000+i, i))
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTutorial75_OurClientAtDovecot(t *testing.T) {
	d := foreign.NewDovecot(t, "pop3")
	pop, pops := d.Clear, d.Secure
	ctx := t.Context()
	messages := append(many(60), "Subject: dots\n\n.\n..\n...x\n")
	for i, c := range []struct{ scheme, addr, mechanism string }{
		{"tcp", pop, ""}, {"starttls", pop, ""}, {"tls", pops, ""},
		{"tcp", pop, pop3.MechanismAPOP}, {"tcp", pop, pop3.MechanismUSER}, {"tls", pops, auth.PLAIN}, {"starttls", pop, auth.LOGIN},
		{"tcp", pop, auth.CRAMMD5}, {"tcp", pop, auth.SCRAMSHA1}, {"tls", pops, auth.SCRAMSHA256},
	} {
		t.Run(c.scheme+c.mechanism, func(t *testing.T) {
			name := fmt.Sprintf("user%d", i)
			fill(t, d.Dir, name, messages)
			login := func(password string) (*pop3.Client, error) {
				o := pop3.Options{}
				o.Dialer.TLS = &tls.Config{RootCAs: d.Roots, ServerName: "localhost"}
				client, err := pop3.Dial(ctx, c.scheme+":"+c.addr, o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { client.Close() })
				return client, client.Login(ctx, auth.Credentials{User: name, Password: password, Mechanism: c.mechanism})
			}
			client, err := login("secret")
			if err != nil {
				t.Fatal(err)
			}
			fetchAll(t, client, messages)
			if c.mechanism == pop3.MechanismAPOP || c.mechanism == auth.SCRAMSHA256 { // a refusal takes dovecot some seconds
				if client, err = login("wrong"); !errors.Is(err, auth.ErrRefused) {
					t.Errorf("a wrong password: %v", err)
				}
				client.Close()
			}
			if client, err = login("secret"); err != nil {
				t.Fatal(err)
			}
			if n, _, err := client.Stat(ctx); err != nil || n != len(messages)-1 {
				t.Errorf("%d messages are left, %v", n, err)
			}
			if err := client.Quit(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func fetchAll(t *testing.T, c *pop3.Client, messages []string) {
	t.Helper()
	ctx := t.Context()
	got := 0
	for m, err := range c.New(ctx, &pop3.MemoryJournal{}) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(m.Body)
		if want := strings.ReplaceAll(messages[m.Number-1], "\n", "\r\n"); err != nil || string(text) != want || m.Size != int64(len(want)) || m.UID == "" {
			t.Errorf("message %d (%d octets, %s): %q, %v", m.Number, m.Size, m.UID, text, err)
		}
		if got++; m.Number == 7 {
			m.Delete()
		}
	}
	if got != len(messages) {
		t.Errorf("%d messages, want %d", got, len(messages))
	}
	b, err := c.Top(ctx, 61, 1)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(b); err != nil || string(text) != "Subject: dots\r\n\r\n.\r\n" {
		t.Errorf("TOP: %q, %v", text, err)
	}
	if _, err := c.Retrieve(ctx, 7); !refusedBy(err) {
		t.Errorf("a deleted message: %v", err)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
}

func refusedBy(err error) bool {
	_, ok := errors.AsType[pop3.Reply](err)
	return ok
}
