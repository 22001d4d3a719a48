//go:build interop

package foreign

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Dovecot is one on a directory of its own, which serves IMAP or POP3 to
// everybody whose password is "secret", from the Maildirs home/NAME.
type Dovecot struct {
	Dir           string
	Clear, Secure string // addresses: of STARTTLS, and of TLS from the beginning
	Roots         *x509.CertPool
}

// NewDovecot starts one for a protocol: imap or pop3.
func NewDovecot(t testing.TB, protocol string) *Dovecot {
	t.Helper()
	name := Program(t, "dovecot")
	NeedRoot(t)
	if _, err := os.Stat("/usr/lib/dovecot/" + protocol); err != nil {
		t.Skipf("dovecot has no %s here: %v", protocol, err)
	}
	d := &Dovecot{Dir: Dir(t)}
	d.Roots = Keys(t, d.Dir)
	Give(t, filepath.Join(d.Dir, "home"), "mail")
	d.Secure = "127.0.0.1:" + Serve(t, func(port string) *exec.Cmd {
		clear := Port(t)
		d.Clear = "127.0.0.1:" + clear
		Write(t, d.Dir, map[string]string{"conf": fmt.Sprintf(dovecotConfig, d.Dir, protocol, clear, port)})
		return exec.Command(name, "-F", "-c", filepath.Join(d.Dir, "conf"))
	})
	t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(d.Dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	return d
}

const dovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/state
protocols = %[2]s
listen = 127.0.0.1
log_path = %[1]s/log
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256
mail_location = maildir:%[1]s/home/%%u
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
service %[2]s-login {
  inet_listener %[2]s {
    port = %[3]s
  }
  inet_listener %[2]ss {
    port = %[4]s
    ssl = yes
  }
}
`
