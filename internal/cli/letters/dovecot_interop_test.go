//go:build interop

package letters_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/cli/letters"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
)

// TestRoundByDovecot brings an mbox to our server, from there into a Maildir,
// from there to dovecot and back into an mbox: text, flags and dates are the
// same.
func TestRoundByDovecot(t *testing.T) {
	d := foreign.NewDovecot(t, "imap")
	dir := t.TempDir()
	in, box, out := filepath.Join(dir, "in.mbox"), filepath.Join(dir, "maildir"), filepath.Join(dir, "out.mbox")
	if err := os.WriteFile(in, []byte(many(120)), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := imaptest.New(t, imaptest.Options{})
	load(t, ours, in, "INBOX", 1)
	save(t, ours, "INBOX", box, letters.ToMaildir, 1)

	c, err := imap.Dial(t.Context(), "tcp:"+d.Clear, imap.Options{})
	if err == nil {
		defer c.Close()
		err = c.Login(t.Context(), auth.Credentials{User: "ann", Password: "secret", ClearText: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []letters.Tally{{Moved: 120}, {There: 120}} {
		src, err := letters.Open(box)
		if err != nil {
			t.Fatal(err)
		}
		im := letters.Import{Client: c, Mailbox: "Copy", Create: true}
		if got, err := im.Run(t.Context(), src); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		src.Close()
	}
	ex := letters.Export{Client: c, Mailbox: "Copy"}
	got, err := ex.Run(t.Context(), func(validity uint32) (letters.Target, error) { return letters.ToMbox(out, "Copy", validity) })
	if err != nil || got.Moved != 120 {
		t.Errorf("%+v, %v", got, err)
	}
	same(t, "mbox to ours to Maildir to dovecot to mbox", content(t, out, true), content(t, in, true))

	home := filepath.Join(d.Dir, "home", "dan") // where dovecot itself looks
	save(t, ours, "INBOX", home, letters.ToMaildir, 1)
	if out, err := exec.Command("chown", "-R", "mail:mail", home).CombinedOutput(); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	dan, err := imap.Dial(t.Context(), "tcp:"+d.Clear, imap.Options{})
	if err == nil {
		defer dan.Close()
		err = dan.Login(t.Context(), auth.Credentials{User: "dan", Password: "secret", ClearText: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(dir, "dan.mbox")
	ex = letters.Export{Client: dan, Mailbox: "INBOX"}
	if _, err := ex.Run(t.Context(), func(validity uint32) (letters.Target, error) { return letters.ToMbox(out, "INBOX", validity) }); err != nil {
		t.Fatal(err)
	}
	same(t, "our Maildir as dovecot has it", content(t, out, true), content(t, in, true))
}
