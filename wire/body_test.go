package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// blockInputs is what is cut at every byte: what a smuggler writes, among
// others.
var blockInputs = []string{
	".\r\n", "..\r\n.\r\n", "a\r\n.\r\nnext\r\n", "a\r\n..b\r\n.\r\n", "a\r\n...\r\n.\r\n", ".a\r\n.\r\n",
	"a\n.\r\nb\r\n.\r\n", "a\r\n.\nb\r\n.\r\n", "a\n.\nb\r\n.\r\n", "a\r.\r\n.\r\n", "a\r\n.\rb\r\n.\r\n", "a\r.\rb\r\n.\r\n",
	"\r\n\r\n.\r\n", "a\r\r\n.\r\n", "a\r\n\n.\r\n.\r\n", "\n.\r\n.\r\n", "\r.\r\n.\r\n", "\r\n.\r\r\n.\r\n",
	"no end", "no end\r\n.", "no end\r\n.\r", "", ".", ".\r", "..", "a\r\n. \r\n.\r\n", strings.Repeat("long", 30) + "\r\n.\r\n",
}

// TestBlockCutEverywhere has Block agree with the oracle, however the input is
// cut and however it is read.
func TestBlockCutEverywhere(t *testing.T) {
	for _, in := range blockInputs {
		body, rest, end := oracleBlock(in)
		cuts(in, func(parts ...string) {
			for name, read := range map[string]func(io.Reader) io.Reader{
				"whole":   func(r io.Reader) io.Reader { return r },
				"by byte": iotest.OneByteReader,
				"by half": iotest.HalfReader,
			} {
				r := reader(0, parts...)
				b := r.Block()
				got, err := io.ReadAll(read(b))
				if !errors.Is(err, end) || string(got) != body {
					t.Fatalf("%q in %q, %s: %q, %v, want %q, %v", in, parts, name, got, err, body, end)
				}
				if end == nil && b.Bare() != oracleBare(body) {
					t.Fatalf("%q in %q, %s: bare is %v", in, parts, name, b.Bare())
				}
				if after, _ := io.ReadAll(r); end == nil && string(after) != rest {
					t.Fatalf("%q in %q, %s: behind it %q, want %q", in, parts, name, after, rest)
				}
			}
		})
	}
}

// TestBlockIsDropped finds the next line behind what was not read of a block.
func TestBlockIsDropped(t *testing.T) {
	const in = "one\r\n..two\r\n.\r\nNEXT\r\n"
	for _, read := range []int{0, 1, 5, 9} {
		cuts(in, func(parts ...string) {
			r := reader(0, parts...)
			b := r.Block()
			if _, err := io.ReadFull(b, make([]byte, read)); err != nil {
				t.Fatal(err)
			}
			if line, err := r.Line(); err != nil || string(line) != "NEXT" {
				t.Fatalf("%q, %d bytes read: %q, %v", parts, read, line, err)
			}
		})
	}
	r := reader(0, "a\r\n.\r\nb\r\n.\r\nlast\r\n")
	r.Block()
	if second, err := io.ReadAll(r.Block()); err != nil || string(second) != "b\r\n" {
		t.Fatalf("%q, %v", second, err)
	}
	if line, err := r.Line(); err != nil || string(line) != "last" {
		t.Fatalf("%q, %v", line, err)
	}
}

// TestBlockWriter writes what Block reads: for every text, in every two parts.
func TestBlockWriter(t *testing.T) {
	for in, want := range map[string]string{
		"":               ".\r\n",
		"a":              "a\r\n.\r\n",
		"a\r\n":          "a\r\n.\r\n",
		"a\nb":           "a\r\nb\r\n.\r\n",
		".":              "..\r\n.\r\n",
		".\r\n":          "..\r\n.\r\n",
		"..":             "...\r\n.\r\n",
		"a\n.\nb":        "a\r\n..\r\nb\r\n.\r\n",
		"a\r":            "a\r\n.\r\n",
		"\r\n":           "\r\n.\r\n",
		"\n\n":           "\r\n\r\n.\r\n",
		"a\r\n.b\r\n..c": "a\r\n..b\r\n...c\r\n.\r\n",
	} {
		for at := range len(in) + 1 {
			w, o := newWriter(64)
			b := w.BlockWriter()
			for _, part := range []string{in[:at], in[at:]} {
				if n, err := io.WriteString(b, part); err != nil || n != len(part) {
					t.Fatal(n, err)
				}
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil { // does nothing
				t.Fatal(err)
			}
			w.Flush()
			if o.String() != want {
				t.Errorf("%q cut at %d: %q, want %q", in, at, o, want)
			}
		}
		w, o := newWriter(8)
		if err := w.Block(strings.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if o.String() != want || o.lent != 0 {
			t.Errorf("%q: %q, want %q; %d pieces of storage are out", in, o, want, o.lent)
		}
	}
}

func TestBlockOfABrokenReader(t *testing.T) {
	w, o := newWriter(64)
	if err := w.Block(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(errBroken))); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if w.Flush(); strings.Contains(o.String(), ".\r\n") {
		t.Fatalf("the block was closed: %q", o)
	}
}

// TestLongBlock is longer than any storage.
func TestLongBlock(t *testing.T) {
	var in bytes.Buffer
	for i := range 50_000 {
		fmt.Fprintf(&in, ".%d\r\n", i)
	}
	w, o := newWriter(4096)
	if err := w.Block(bytes.NewReader(in.Bytes())); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	got, err := io.ReadAll(reader(0, o.String()).Block())
	if err != nil || !bytes.Equal(got, in.Bytes()) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}
