//go:build interop

package imap_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// onPort is a server on both engines; pem is the certificate for STARTTLS.
func onPort(t *testing.T, f func(t *testing.T, b *toy, port, pem string)) {
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	pem := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(pem, pair.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			b := filled()
			h := handler(b)
			h.TLS = &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
			_, port, err := net.SplitHostPort(servertest.Serve(t, &server.Server{Handler: h, Engine: e()}))
			if err != nil {
				t.Fatal(err)
			}
			f(t, b, port, pem)
		})
	}
}

func TestTutorial76_ImaplibAtOurServer(t *testing.T) {
	python := foreign.Python(t, 3, "imaplib")
	for _, how := range []string{"login", "cram", "plain"} {
		onPort(t, func(t *testing.T, _ *toy, port, _ string) {
			script, err := filepath.Abs("testdata/imaplib_all.py")
			if err != nil {
				t.Fatal(err)
			}
			if out := foreign.Run(t, t.TempDir(), python, script, port, how); !t.Failed() && !strings.Contains(out, "every method") {
				t.Error(out)
			}
		})
	}
}

func TestCurlAtOurServer(t *testing.T) {
	curl := foreign.Program(t, "curl")
	onPort(t, func(t *testing.T, _ *toy, port, pem string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "m"), []byte("Subject: app\r\n\r\nx\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		base := "imap://mrc:secret@localhost:" + port + "/"
		for _, args := range [][]string{{}, {"--ssl-reqd", "--cacert", pem}, {"--login-options", "AUTH=PLAIN"}, {"--login-options", "AUTH=CRAM-MD5", "--no-sasl-ir"}} {
			ask := func(want string, more ...string) {
				t.Helper()
				all := append([]string{"-sS", "--max-time", "30"}, args...)
				if out := foreign.Run(t, dir, curl, append(all, more...)...); !strings.Contains(out, want) {
					t.Errorf("%q: %s", more, out)
				}
			}
			ask(`"/" INBOX`, base)
			ask("It was decided.", base+"INBOX;MAILINDEX=1")
			ask("Subject: afternoon", base+"INBOX;UID=2;SECTION=HEADER")
			ask("", "-T", "m", base+"Sent")
			ask("* SEARCH 1", base+"Sent?SUBJECT%20app")
			ask("EXISTS", base, "-X", "EXAMINE INBOX")
		}
	})
}

func TestOpensslAtOurServer(t *testing.T) {
	openssl := foreign.Program(t, "openssl")
	onPort(t, func(t *testing.T, _ *toy, port, pem string) {
		out := foreign.RunWith(t, t.TempDir(), "a LOGIN mrc secret\nb LOGOUT\n", openssl, "s_client", "-quiet", "-verify_return_error",
			"-CAfile", pem, "-connect", "localhost:"+port, "-starttls", "imap", "-crlf", "-ign_eof")
		if !strings.Contains(out, "b OK LOGOUT") {
			t.Error(out)
		}
	})
}

// mbsyncrc is the configuration of a Maildir tree that is kept like ours.
const mbsyncrc = `IMAPAccount a
Host localhost
Port %s
User mrc
Pass secret
%sType %s
CertificateFile %s
SystemCertificates no
%s

IMAPStore far
Account a

MaildirStore near
Path ./near/
Inbox ./near/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
`

func TestMbsyncAtOurServer(t *testing.T) {
	mbsync := foreign.Program(t, "mbsync")
	keyword := "TLS"
	if strings.HasPrefix(foreign.Run(t, t.TempDir(), mbsync, "--version"), "isync 1.4") {
		keyword = "SSL"
	}
	onPort(t, func(t *testing.T, b *toy, port, pem string) {
		for i, way := range [][2]string{{"None", "AuthMechs LOGIN"}, {"STARTTLS", ""}, {"None", "PipelineDepth 1"}} {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "near"), 0o700); err != nil {
				t.Fatal(err)
			}
			rc := filepath.Join(dir, "rc")
			if err := os.WriteFile(rc, fmt.Appendf(nil, mbsyncrc, port, keyword, way[0], pem, way[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			sync := func() { foreign.Run(t, dir, mbsync, "-c", rc, "c") }
			sync()
			here := maildir(t, filepath.Join(dir, "near", "INBOX"))
			if want := b.texts("INBOX"); len(here) != len(want) {
				t.Fatalf("%d messages came, of %d", len(here), len(want))
			}
			mine := []byte(fmt.Sprintf("Subject: mine %d\nFrom: me@example.com\n\nfrom here\n", i))
			if err := os.WriteFile(filepath.Join(dir, "near", "INBOX", "cur", fmt.Sprintf("1.%d.x:2,FS", i)), mine, 0o600); err != nil {
				t.Fatal(err)
			}
			b.put("mrc", "INBOX", fmt.Sprintf("Subject: theirs %d\n\nfrom there\n", i))
			sync()
			far := strings.Join(b.texts("INBOX"), "")
			if !strings.Contains(far, fmt.Sprintf("Subject: mine %d", i)) {
				t.Error("what was put here is not there")
			}
			if near := strings.Join(maildir(t, filepath.Join(dir, "near", "INBOX")), ""); !strings.Contains(near, fmt.Sprintf("Subject: theirs %d", i)) {
				t.Error("what was put there is not here")
			}
		}
	})
}

// maildir reads the messages of a Maildir.
func maildir(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, sub := range []string{"cur", "new"} {
		files, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		}
	}
	return all
}

// texts are the messages of a mailbox.
func (t *toy) texts(box string) []string {
	a := t.account("mrc")
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, m := range a.boxes[box].msgs {
		all = append(all, string(m.text))
	}
	return all
}
