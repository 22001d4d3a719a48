package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/farend-go/farend/message/maildir"
)

func create(t *testing.T) (*maildir.Dir, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "Maildir")
	d, err := maildir.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, name
}

func entries(t *testing.T, d *maildir.Dir) []maildir.Entry {
	t.Helper()
	var out []maildir.Entry
	for e, err := range d.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func content(t *testing.T, d *maildir.Dir, e maildir.Entry) string {
	t.Helper()
	f, err := d.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func deliver(t *testing.T, d *maildir.Dir, text string, flags maildir.Flags) maildir.Entry {
	t.Helper()
	e, err := d.Deliver(strings.NewReader(text), flags)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDeliverAndFlags(t *testing.T) {
	d, _ := create(t)
	one := deliver(t, d, "one", "")
	two := deliver(t, d, "two", maildir.Seen+maildir.Flagged)
	if !one.New || two.New || one.Key == two.Key || two.Flags != "FS" {
		t.Errorf("%+v %+v", one, two)
	}
	if got := entries(t, d); len(got) != 2 || got[0] != one || got[1] != two {
		t.Errorf("%+v", got)
	}
	stale := one
	one, err := d.SetFlags(one, one.Flags.With(maildir.Replied))
	if err != nil || one.New || one.Flags != "R" {
		t.Fatalf("%+v, %v", one, err)
	}
	if got := content(t, d, stale); got != "one" {
		t.Errorf("by the old name: %q", got)
	}
	if one, err = d.SetFlags(stale, "SR?"); err != nil || one.Flags != "RS" {
		t.Errorf("by the old name: %+v, %v", one, err)
	}
	if err := d.Remove(stale); err != nil {
		t.Error(err)
	}
	if err := d.Remove(one); err != nil {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := d.Open(one); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed and opened: %v", err)
	}
	if _, err := d.SetFlags(one, "S"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed and flagged: %v", err)
	}
	if got := entries(t, d); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestFlags(t *testing.T) {
	f := maildir.ParseFlags("SaFS2,")
	if f != "FSa" || !f.Has("Sa") || f.Has("R") || f.With("RS") != "FRSa" || f.Without("Fa") != "S" {
		t.Errorf("%q %q %q", f, f.With("RS"), f.Without("Fa"))
	}
}

// A delivery that breaks off leaves nothing.
func TestDeliverFails(t *testing.T) {
	d, name := create(t)
	broken := errors.New("unplugged")
	if _, err := d.Deliver(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), ""); !errors.Is(err, broken) {
		t.Error(err)
	}
	for _, sub := range []string{"tmp", "new", "cur"} {
		if list, err := os.ReadDir(filepath.Join(name, sub)); len(list) != 0 || err != nil {
			t.Errorf("%s has %d files, %v", sub, len(list), err)
		}
	}
}

// Whoever looks sees whole messages only, however many deliver.
func TestDeliverAtOnce(t *testing.T) {
	d, _ := create(t)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 10 {
				if _, err := d.Deliver(strings.NewReader(strings.Repeat("x", 5000)), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		for _, e := range entries(t, d) {
			if got := content(t, d, e); len(got) != 5000 {
				t.Errorf("%d octets", len(got))
			}
		}
	}
	senders.Wait()
	if got := entries(t, d); len(got) != 40 {
		t.Errorf("%d messages", len(got))
	}
}

// What other programs put there: flags in any order, no flags, other info.
func TestForeignNames(t *testing.T) {
	d, name := create(t)
	for _, f := range []string{"cur/1.a.host;2,SF", "cur/2.b.host;2,", "cur/3.c.host", "cur/4.d,S=10,W=11.host;2,Sab", "cur/.hidden", "new/5.e.host"} {
		if err := os.WriteFile(filepath.Join(name, filepath.FromSlash(f)), []byte(f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(name, "cur", "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries(t, d) {
		got = append(got, e.Key+"|"+string(e.Flags))
		if text := content(t, d, e); text != e.Name {
			t.Errorf("%s has %q", e.Name, text)
		}
	}
	want := []string{"5.e.host|", "1.a.host|FS", "2.b.host|", "3.c.host|", "4.d,S=10,W=11.host|Sab"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCleanAndFolders(t *testing.T) {
	d, name := create(t)
	stuck := filepath.Join(name, "tmp", "1.stuck")
	if err := os.WriteFile(stuck, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Clean(time.Now()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(stuck); err != nil {
		t.Errorf("young: %v", err)
	}
	if err := d.Clean(time.Now().Add(37 * time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(stuck); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("old: %v", err)
	}
	for _, sub := range []string{".Sent", ".lists.go"} {
		f, err := maildir.Create(filepath.Join(name, sub))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := os.Mkdir(filepath.Join(name, ".cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Folders(); !slices.Equal(got, []string{"Sent", "lists.go"}) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestOpenWhatIsNone(t *testing.T) {
	if _, err := maildir.Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := maildir.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A link out of the directory is not followed.
func TestStaysInside(t *testing.T) {
	d, name := create(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(name, "cur", "1.link")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if got := entries(t, d); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	for _, path := range []string{"cur/1.link", "../secret", "cur/../../secret"} {
		if f, err := d.Open(maildir.Entry{Key: "none", Name: path}); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
	}
}

func Example() {
	name, err := os.MkdirTemp("", "maildir")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(name)
	d, err := maildir.Create(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	e, err := d.Deliver(strings.NewReader("Subject: hello\r\n\r\nyou\r\n"), "")
	fmt.Println(e.New, err)
	e, err = d.SetFlags(e, maildir.Seen)
	fmt.Println(e.New, e.Flags, err)
	// Output:
	// true <nil>
	// false S <nil>
}
