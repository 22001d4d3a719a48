package diskstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/store"
)

func put(t *testing.T, e *Engine, key, value string) {
	t.Helper()
	if err := e.Update(t.Context(), func(w store.Writer) error { return w.Put([]byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, e *Engine, key string) (value string) {
	t.Helper()
	err := e.View(t.Context(), func(r store.Reader) error {
		v, err := r.Get([]byte(key))
		value = string(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// An older directory is upgraded step by step, and after that the older program
// refuses it.
func TestUpgrade(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	put(t, e, "a", "1")
	e.Close()

	broken := errors.New("no upgrade today")
	var ran []int
	step := func(n int, err error) upgrade {
		return func(*Engine) error {
			ran = append(ran, n)
			return err
		}
	}
	if _, err := Open(dir, Options{upgrades: []upgrade{step(1, nil), step(2, broken)}}); !errors.Is(err, broken) {
		t.Fatalf("an upgrade that fails: %v", err)
	}
	e = openTest(t, dir, Options{upgrades: []upgrade{step(1, nil), step(2, nil)}})
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("after the upgrade: %q", got)
	}
	e.Close()
	if len(ran) != 3 || ran[0] != 1 || ran[1] != 2 || ran[2] != 2 {
		t.Errorf("ran the steps %v", ran)
	}
	if text, err := os.ReadFile(filepath.Join(dir, formatName)); err != nil || string(text) != "farend store, format 3\n" {
		t.Errorf("%q, %v", text, err)
	}
	before, err := os.Stat(filepath.Join(dir, indexName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), "format 3") {
		t.Errorf("an older program: %v", err)
	}
	if after, err := os.Stat(filepath.Join(dir, indexName)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("an older program touched the index: %v", err)
	}
}

func TestDirectoriesThatAreNoStore(t *testing.T) {
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(foreign, Options{}); err == nil || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("a directory with other things: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(foreign, "*")); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
	for _, text := range []string{"", "farend store, format x\n", "farend store, format 0\n", "format 1\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, formatName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("FORMAT %q: %v", text, err)
		}
	}
	damaged := t.TempDir()
	openTest(t, damaged, Options{}).Close()
	if err := os.WriteFile(filepath.Join(damaged, indexName), make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(damaged, Options{}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("an index of zeros: %v", err)
	}
}
