package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/farend-go/farend/wire"
)

func TestWriteLine(t *testing.T) {
	w, o := newWriter(64)
	for _, line := range []string{"", "one", "two\ttabs"} {
		if err := w.LineString(line); err != nil {
			t.Fatal(err)
		}
		if err := w.Line([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if o.sends != 0 {
		t.Fatal("it left before Flush")
	}
	w.Flush()
	if o.String() != "\r\n\r\none\r\none\r\ntwo\ttabs\r\ntwo\ttabs\r\n" || o.sends != 1 || o.lent != 0 {
		t.Fatalf("%q in %d sends, %d pieces of storage out", o, o.sends, o.lent)
	}
}

// TestInjectionStops is what an argument with a line break in it would do.
func TestInjectionStops(t *testing.T) {
	for _, line := range []string{"RCPT TO:<a>\r\nDATA", "a\n", "\r", "a\rb", "\r\n"} {
		w, o := newWriter(64)
		if err := w.LineString(line); !errors.Is(err, wire.ErrBreak) {
			t.Errorf("%q: %v", line, err)
		}
		if err := w.Line([]byte(line)); !errors.Is(err, wire.ErrBreak) {
			t.Errorf("%q: %v", line, err)
		}
		if w.Flush(); o.Len() > 0 || w.Buffered() > 0 {
			t.Errorf("%q: %q was written", line, o)
		}
	}
}

// TestWriteSizes writes pieces of every size around those of the storage.
func TestWriteSizes(t *testing.T) {
	for _, size := range []int{0, 1, 62, 63, 64, 65, 100, 4095, 4096, 4097, 10_000} {
		text := strings.Repeat("x", size)
		w, o := newWriter(4096)
		if n, err := w.Write([]byte("a")); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := w.Write([]byte(text)); n != size || err != nil {
			t.Fatal(n, err)
		}
		if n, err := w.WriteString(text); n != size || err != nil {
			t.Fatal(n, err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if o.String() != "a"+text+text || o.lent != 0 {
			t.Errorf("%d: %d bytes arrived, %d pieces of storage out", size, o.Len(), o.lent)
		}
	}
}

// TestWriteUntold gives a tap each byte once.
func TestWriteUntold(t *testing.T) {
	w, _ := newWriter(64)
	w.WriteString("one")
	if got := string(w.Untold()); got != "one" {
		t.Fatal(got)
	}
	w.WriteString("two")
	if got := string(w.Untold()); got != "two" {
		t.Fatal(got)
	}
	w.Flush()
	w.WriteString("three")
	if got := string(w.Untold()); got != "three" {
		t.Fatal(got)
	}
}

func TestWriteFails(t *testing.T) {
	for name, write := range map[string]func(w *wire.Writer) error{
		"Flush":       func(w *wire.Writer) error { w.WriteString("x"); return w.Flush() },
		"long Write":  func(w *wire.Writer) error { _, err := w.Write(make([]byte, 5000)); return err },
		"long Line":   func(w *wire.Writer) error { return w.LineString(strings.Repeat("x", 5000)) },
		"over room":   func(w *wire.Writer) error { w.LineString(strings.Repeat("x", 60)); return w.LineString("more") },
		"Line":        func(w *wire.Writer) error { w.WriteString(strings.Repeat("x", 64)); return w.Line(nil) },
		"long before": func(w *wire.Writer) error { w.WriteString("x"); _, err := w.Write(make([]byte, 5000)); return err },
		"Block":       func(w *wire.Writer) error { return w.Block(strings.NewReader(strings.Repeat("x\n.", 3000))) },
		"Block's end": func(w *wire.Writer) error {
			b := w.BlockWriter()
			io.WriteString(b, strings.Repeat("x", 63))
			return b.Close()
		},
	} {
		w, o := newWriter(64)
		o.fail = errBroken
		if err := write(w); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if o.lent != 0 && w.Buffered() == 0 {
			t.Errorf("%s: %d pieces of storage are out", name, o.lent)
		}
	}
}
