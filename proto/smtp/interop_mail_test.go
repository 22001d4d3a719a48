//go:build interop

package smtp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/smtp"
)

// postfix starts a whole mail system of its own in a directory; mail for
// peers.test goes to Maildirs there.
func postfix(t *testing.T) (addr, maildirs string, roots *x509.CertPool) {
	t.Helper()
	name := foreign.Program(t, "postfix")
	foreign.NeedRoot(t)
	dir := foreign.Dir(t)
	for sub, owner := range map[string]string{"etc": "root", "queue": "root", "data": "postfix", "mail": "mail"} {
		foreign.Give(t, filepath.Join(dir, sub), owner)
	}
	roots = foreign.Keys(t, dir)
	foreign.Write(t, dir, map[string]string{
		"etc/vmaps":   "bob@peers.test bob/Maildir/\nalice@peers.test alice/Maildir/\n",
		"etc/main.cf": fmt.Sprintf(postfixMain, dir, foreign.User(t, "mail").Uid, foreign.User(t, "mail").Gid),
	})
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		foreign.Write(t, dir, map[string]string{"etc/master.cf": fmt.Sprintf(postfixMaster, port)})
		return exec.Command(name, "-c", filepath.Join(dir, "etc"), "start-fg")
	})
	t.Cleanup(func() { // first of all: the master has a process group of its own
		if out, err := exec.Command(name, "-c", filepath.Join(dir, "etc"), "stop").CombinedOutput(); err != nil {
			t.Errorf("postfix stop: %v: %s", err, out)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	return "127.0.0.1:" + port, filepath.Join(dir, "mail"), roots
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

const dovecotConf = `base_dir = %[1]s/run
state_dir = %[1]s/state
protocols = lmtp
listen = 127.0.0.1
log_path = %[1]s/log
ssl = no
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {
  driver = static
  args = password={PLAIN}secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/home/%%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[2]s
  }
}
`

// TestTutorial74_OurClientAtDovecotLMTP delivers into mailboxes of another
// making, with an answer for each.
func TestTutorial74_OurClientAtDovecotLMTP(t *testing.T) {
	dovecot := foreign.Program(t, "dovecot")
	foreign.Program(t, "/usr/lib/dovecot/lmtp")
	foreign.NeedRoot(t)
	dir := foreign.Dir(t)
	foreign.Give(t, filepath.Join(dir, "home"), "mail")
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		foreign.Write(t, dir, map[string]string{"conf": fmt.Sprintf(dovecotConf, dir, port)})
		return exec.Command(dovecot, "-F", "-c", filepath.Join(dir, "conf"))
	})
	t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	ctx := within(t)
	c, err := smtp.Dial(ctx, "tcp:127.0.0.1:"+port, smtp.Options{LMTP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, lacks := range [][]string{nil, {"CHUNKING"}, {"PIPELINING"}} {
		c.Lack(lacks...)
		for i, size := range []int{10, 70_000} {
			subject := fmt.Sprintf("%v-%d", lacks, i)
			body := "Subject: " + subject + "\n\n.dot\n" + strings.Repeat("0123456789\n", size/10)
			if r, err := c.Send(ctx, message(t, strings.NewReader(body), "bob", "alice@peers.test")); err != nil || r.Accepted() != 2 {
				t.Fatalf("%+v, %v", r, err)
			}
			for _, who := range []string{"bob", "alice@peers.test"} {
				arrived(t, ctx, filepath.Join(dir, "home", who, "Maildir/new"), subject, body)
			}
		}
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
}

// pythonServer is the server of Python up to 3.11, which says what it got.
const pythonServer = `
import warnings; warnings.simplefilter('ignore')
import smtpd, asyncore, sys
class S(smtpd.SMTPServer):
    def process_message(self, peer, mailfrom, rcpttos, data, **kw):
        print(mailfrom, rcpttos, data, kw.get('mail_options'), flush=True)
        if 'full@x.test' in rcpttos: return '452 full'
s = S(('127.0.0.1', 0), None, enable_SMTPUTF8=True)
print(s.socket.getsockname()[1], flush=True)
asyncore.loop()
`

// TestTutorial74_OurClientAtPythonServer sends to Python's own server.
func TestTutorial74_OurClientAtPythonServer(t *testing.T) {
	next := foreign.PythonServer(t, foreign.Python(t, 3, "smtpd"), pythonServer)
	c, err := smtp.Dial(within(t), "tcp:127.0.0.1:"+next(), smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := c.Send(within(t), message(t, strings.NewReader("Subject: \xc3\xa4\n\n.x\n"), "a@x.test", "b@x.test")); err != nil || r.Accepted() != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := next(); !strings.Contains(got, "['a@x.test', 'b@x.test']") || !strings.Contains(got, `\n\n.x`) || !strings.Contains(got, "SMTPUTF8") {
		t.Error(got)
	}
	if _, err := c.Send(within(t), message(t, strings.NewReader("x"), "full@x.test")); !isReply(err, 452) {
		t.Error(err)
	}
	next()
	if err := c.Quit(within(t)); err != nil {
		t.Error(err)
	}
}
