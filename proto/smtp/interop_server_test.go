//go:build interop

package smtp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/smtp"
)

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// waitPort returns when somebody listens.
func waitPort(t *testing.T, addr string) {
	t.Helper()
	ctx := within(t)
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", addr, err)
		}
	}
}

// sink starts smtp-sink, which takes everything and keeps it in a file.
func sink(t *testing.T, args ...string) (addr, file string) {
	t.Helper()
	name := program(t, "smtp-sink", "/usr/sbin/smtp-sink")
	dir := t.TempDir()
	file = filepath.Join(dir, "mail")
	addr = "127.0.0.1:" + freePort(t)
	if os.Getuid() == 0 {
		args = append(args, "-u", "root")
	}
	cmd := exec.Command(name, append(append(args, "-D", file), addr, "100")...)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("smtp-sink: %s", out)
		}
	})
	waitPort(t, addr)
	return addr, file
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

// postfix starts a whole mail system of its own in a directory; mail for
// peers.test goes to Maildirs there.
func postfix(t *testing.T) (addr, maildirs string, roots *x509.CertPool) {
	t.Helper()
	name := program(t, "postfix", "/usr/sbin/postfix")
	if os.Getuid() != 0 {
		t.Skip("postfix is started by root alone")
	}
	id := func(name string) *user.User {
		u, err := user.Lookup(name)
		if err != nil {
			t.Skipf("postfix: %v", err)
		}
		return u
	}
	dir, err := os.MkdirTemp("", "postfix") // t.TempDir is not for other users to walk through
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for sub, owner := range map[string]string{"etc": "root", "queue": "root", "data": "postfix", "mail": "mail"} {
		path := filepath.Join(dir, sub)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("chown", id(owner).Uid, path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	for file, text := range map[string]string{
		"cert.pem":      string(pair.PEM),
		"key.pem":       string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"etc/vmaps":     "bob@peers.test bob/Maildir/\nalice@peers.test alice/Maildir/\n",
		"etc/main.cf":   fmt.Sprintf(postfixMain, dir, id("mail").Uid, id("mail").Gid),
		"etc/master.cf": fmt.Sprintf(postfixMaster, port),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	etc := filepath.Join(dir, "etc")
	if out, err := exec.Command(name, "-c", etc, "start").CombinedOutput(); err != nil {
		t.Fatalf("postfix: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(name, "-c", etc, "stop").CombinedOutput(); err != nil {
			t.Errorf("postfix stop: %v: %s", err, out)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	addr = "127.0.0.1:" + port
	waitPort(t, addr)
	return addr, filepath.Join(dir, "mail"), pair.Roots
}

const postfixMain = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
myhostname = mx.peers.test
mydestination = localhost
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = yes
maillog_file = %[1]s/log
maillog_file_prefixes = /
virtual_mailbox_domains = peers.test
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = texthash:%[1]s/etc/vmaps
virtual_uid_maps = static:%[2]s
virtual_gid_maps = static:%[3]s
virtual_minimum_uid = 1
default_transport = error:no outside mail
smtpd_tls_cert_file = %[1]s/cert.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_tls_security_level = may
message_size_limit = 1000000
local_recipient_maps =
alias_maps =
`

const postfixMaster = `127.0.0.1:%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
local unix - n n - - local
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
scache unix - - n - 1 scache
showq unix n - n - - showq
`

// TestOurClientAtPostfix sends to a mail system of another making, in clear and
// with TLS, and finds what it sent in the mailboxes.
func TestOurClientAtPostfix(t *testing.T) {
	addr, maildirs, roots := postfix(t)
	ctx := within(t)
	for _, scheme := range []string{"tcp", "starttls"} {
		o := smtp.Options{}
		o.Dialer.TLS = &tls.Config{RootCAs: roots}
		c, err := smtp.Dial(ctx, scheme+":"+addr, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, ok := c.TLS(); !ok {
			t.Error("in clear")
		}
		for _, lacks := range [][]string{nil, {"CHUNKING"}, {"PIPELINING"}} {
			c.Lack(lacks...)
			for i, size := range []int{10, 70_000} {
				subject := fmt.Sprintf("%s-%v-%d", scheme, lacks, i)
				body := "Subject: " + subject + "\n\n.dot\n" + strings.Repeat("0123456789\n", size/10)
				r, err := c.Send(ctx, message(t, strings.NewReader(body), "bob@peers.test", "nobody@peers.test", "alice@peers.test"))
				if !isReply(err, 550) || r.Accepted() != 2 || !isReply(r.Results[1].Err, 550) {
					t.Fatalf("%+v, %v", r, err)
				}
				for _, who := range []string{"bob", "alice"} {
					arrived(t, ctx, filepath.Join(maildirs, who, "Maildir/new"), subject, body)
				}
			}
		}
		if _, err := c.Send(ctx, message(t, strings.NewReader(strings.Repeat("0123456789\n", 100_000)), "bob@peers.test")); !isReply(err, 552) {
			t.Error("too big:", err)
		}
		if _, err := c.Send(ctx, message(t, strings.NewReader("x"), "nobody@peers.test")); !isReply(err, 550) {
			t.Error(err)
		}
		if r, err := c.Verify(ctx, "bob@peers.test"); err != nil || r.Code != 252 {
			t.Error(r, err)
		}
		if err := c.Quit(ctx); err != nil {
			t.Error(err)
		}
	}
}

// arrived waits for a message in a Maildir.
func arrived(t *testing.T, ctx context.Context, dir, subject, body string) {
	t.Helper()
	_, text, _ := strings.Cut(body, "\n\n")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		names, _ := filepath.Glob(filepath.Join(dir, "*")) // the pattern is well formed
		for _, name := range names {
			if b, err := os.ReadFile(name); err == nil && strings.Contains(string(b), "\nSubject: "+subject+"\n") {
				if !strings.HasSuffix(string(b), "\n\n"+text) {
					t.Errorf("%s: %.500q", subject, b)
				}
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s has not arrived in %s", subject, dir)
		}
	}
}
