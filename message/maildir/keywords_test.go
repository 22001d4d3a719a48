package maildir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/message/maildir"
)

func TestKeywords(t *testing.T) {
	dir := t.TempDir()
	d, err := maildir.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if words, err := d.Keywords(); len(words) > 0 || err != nil {
		t.Errorf("%q, %v", words, err)
	}
	if err := d.SetKeywords([]string{"work", "", "$Forwarded"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "dovecot-keywords"))
	if err != nil || string(text) != "0 work\n2 $Forwarded\n" {
		t.Errorf("%q, %v", text, err)
	}
	if words, err := d.Keywords(); !slices.Equal(words, []string{"work", "", "$Forwarded"}) || err != nil {
		t.Errorf("%q, %v", words, err)
	}
	odd := "x y\n-1 no\n26 no\n1\n3 yes \n"
	if err := os.WriteFile(filepath.Join(dir, "dovecot-keywords"), []byte(odd), 0o600); err != nil {
		t.Fatal(err)
	}
	if words, err := d.Keywords(); !slices.Equal(words, []string{"", "", "", "yes"}) || err != nil {
		t.Errorf("%q, %v", words, err)
	}
}

// TestSetKeywordsFails has a directory where the file belongs: nothing is left
// behind.
func TestSetKeywordsFails(t *testing.T) {
	dir := t.TempDir()
	d, err := maildir.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.Mkdir(filepath.Join(dir, "dovecot-keywords"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.SetKeywords([]string{"work"}); err == nil {
		t.Error("written over a directory")
	}
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestPut(t *testing.T) {
	dir := t.TempDir()
	d, err := maildir.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	e, err := d.Put("1.V2U3.farend", strings.NewReader("a: b\n\n"), "FS", at)
	if err != nil || e.Key != "1.V2U3.farend" || e.Flags != "FS" || e.New {
		t.Fatalf("%+v, %v", e, err)
	}
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(e.Name)))
	if err != nil || !info.ModTime().Equal(at) || info.Size() != 6 {
		t.Errorf("%+v, %v", info, err)
	}
	if found, err := d.Find(e.Key); err != nil || found != e {
		t.Errorf("%+v, %v", found, err)
	}
	for _, key := range []string{"", "../x", "a:2,S", ".x", "a\x00"} {
		if _, err := d.Put(key, strings.NewReader(""), "", at); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}
