//go:build interop

package imap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/imap"
)

const dovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/state
protocols = imap
listen = 127.0.0.1
log_path = %[1]s/log
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
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
service imap-login {
  inet_listener imap {
    port = %[2]s
  }
  inet_listener imaps {
    port = %[3]s
    ssl = yes
  }
}
`

// dovecot starts a server on a directory of its own, where everybody logs in
// with "secret".
func dovecot(t *testing.T) (plain, implicit string, roots *x509.CertPool) {
	t.Helper()
	path := program(t, "dovecot", "/usr/sbin/dovecot")
	owner, err := user.Lookup("mail")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("dovecot has to be started as root, and wants the user mail")
	}
	if _, err := os.Stat("/usr/lib/dovecot/imap"); err != nil {
		t.Skip("dovecot's IMAP server is not installed")
	}
	dir, err := os.MkdirTemp("", "dovecot") // t.TempDir's path is too long for its sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var certs []byte
	for _, der := range pair.Certificate.Certificate {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	plain, implicit = freePort(t), freePort(t)
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), certs, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
		os.WriteFile(filepath.Join(dir, "conf"), fmt.Appendf(nil, dovecotConfig, dir, plain, implicit), 0o644),
		os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "home"), 0o755), os.Chown(filepath.Join(dir, "home"), uid, gid))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-F", "-c", filepath.Join(dir, "conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Log(err)
		}
		_ = cmd.Wait() // its exit status says that it was interrupted
		if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	for range 500 {
		if nc, err := net.Dial("tcp", "127.0.0.1:"+implicit); err == nil {
			nc.Close()
			return plain, implicit, pair.Roots
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatal("dovecot does not listen")
	return "", "", nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestTutorial76_OurClientAtDovecot(t *testing.T) {
	plain, implicit, roots := dovecot(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, endpoint := range []string{"tcp:127.0.0.1:" + plain, "starttls:127.0.0.1:" + plain, "tls:127.0.0.1:" + implicit} {
		for _, mechanism := range []string{"", imap.MechanismLOGIN, auth.PLAIN, auth.CRAMMD5, auth.SCRAMSHA256} {
			c := atDovecot(ctx, t, endpoint, mechanism, roots)
			if err := c.Logout(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	c := atDovecot(ctx, t, "starttls:127.0.0.1:"+plain, "", roots)
	defer c.Close()
	if caps, err := c.Capabilities(ctx); err != nil || caps.Has("COMPRESS=DEFLATE") && c.Compress(ctx) != nil { // a plugin of dovecot's
		t.Errorf("COMPRESS: %v", err)
	}
	must(t, c.Enable("QRESYNC"))
	name := "Entwürfe & mehr"
	must(t, c.Create(name))
	must(t, c.Subscribe(name))
	if list := must(t, c.List(imap.List{Patterns: []string{"*"}, ReturnStatus: []string{imap.StatusMessages}})); len(list) != 2 || list[0].Status == nil {
		t.Errorf("LIST: %+v", list)
	}
	upload := func(text string) imap.Upload {
		text = strings.ReplaceAll(text, "\n", "\r\n")
		return imap.Upload{NewMessage: imap.NewMessage{Size: int64(len(text))}, Body: strings.NewReader(text)}
	}
	if got := must(t, c.Append("INBOX", upload(gray), upload(note), upload(parts))); got.UIDs.Count() != 3 {
		t.Errorf("APPEND: %+v", got)
	}
	box := must(t, c.Select(imap.Select{Name: "INBOX"}))
	if box.Exists != 3 || box.HighestModSeq == 0 {
		t.Errorf("SELECT: %+v", box)
	}
	found := c.Search(imap.Search{Return: &imap.Return{Count: true, All: true}, Key: imap.Key{Name: "SUBJECT", Text: "meeting"}}, true)
	sorted := c.Sort(imap.Sort{By: []imap.SortKey{{Name: "DATE"}}, Key: imap.Key{Name: "ALL"}}, true)
	threads := c.Thread(imap.ThreadSearch{Algorithm: "REFERENCES", Key: imap.Key{Name: "ALL"}}, true)
	all := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.ItemFlags, imap.ItemEnvelope, imap.ItemBodyStructure, imap.ItemSize, imap.BodySection)})
	copied := c.Copy(uids(imap.Range{First: 1, Last: 2}), name)
	if got := must(t, all); len(got) != 3 || got[1].Envelope.Subject != "afternoon meeting" || int64(len(got[0].Pieces[0].Data)) != got[0].Size {
		t.Errorf("FETCH: %+v", got)
	}
	if e := must(t, found); e.Count != 2 || e.All.String() != "2:3" {
		t.Errorf("SEARCH: %+v", e)
	}
	if got, trees := must(t, sorted), must(t, threads); len(got) != 3 || len(trees) == 0 {
		t.Errorf("SORT: %v, THREAD: %v", got, trees)
	}
	if got := must(t, copied); got.Dest.Count() != 2 {
		t.Errorf("COPY: %+v", got)
	}
	must(t, c.Store(imap.Store{Where: uids(imap.Range{First: 1, Last: 1}), Op: imap.Add, Flags: []imap.Flag{imap.Deleted}}))
	must(t, c.ExpungeUIDs(imap.One(1)))
	must(t, c.Move(uids(imap.Range{First: 2, Last: 2}), name))
	if n := c.Selected().Exists; n != 1 {
		t.Errorf("%d messages are left", n)
	}
	must(t, c.Unselect())
	again := must(t, c.Select(imap.Select{Name: "INBOX", QResync: &imap.QResync{UIDValidity: box.UIDValidity, ModSeq: box.HighestModSeq}}))
	if again.Vanished.String() != "1:2" {
		t.Errorf("QRESYNC: %+v", again)
	}
	if err := c.Logout(ctx); err != nil {
		t.Error(err)
	}
	watchDovecot(ctx, t, "tls:127.0.0.1:"+implicit, roots, upload)
}

func atDovecot(ctx context.Context, t *testing.T, endpoint, mechanism string, roots *x509.CertPool) *imap.Client {
	t.Helper()
	o := imap.Options{Strict: true}
	o.Dialer.TLS = &tls.Config{RootCAs: roots}
	c, err := imap.Dial(ctx, endpoint, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret", Mechanism: mechanism}); err != nil {
		t.Fatalf("%s by %q: %v", endpoint, mechanism, err)
	}
	return c
}

// watchDovecot has a Watcher hear of a message.
func watchDovecot(ctx context.Context, t *testing.T, endpoint string, roots *x509.CertPool, upload func(string) imap.Upload) {
	t.Helper()
	other := atDovecot(ctx, t, endpoint, "", roots)
	defer other.Close()
	box := must(t, other.Examine(imap.Select{Name: "INBOX"}))
	w := &imap.Watcher{
		From: imap.Mark{UIDValidity: box.UIDValidity, UID: box.UIDNext - 1},
		Dial: func(ctx context.Context) (*imap.Client, error) { return atDovecot(ctx, t, endpoint, "", roots), nil },
	}
	must(t, other.Append("INBOX", upload("Subject: first\n\nx\n")))
	var got []string
	for n, err := range w.Watch(ctx, "INBOX") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, n.Envelope.Subject); len(got) == 2 {
			break
		}
		must(t, other.Append("INBOX", upload("Subject: second\n\nx\n")))
	}
	if got[0] != "first" || got[1] != "second" {
		t.Errorf("%q", got)
	}
}
