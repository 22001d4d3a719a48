package wire_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/wire"
)

// parts cuts in at places that a byte string says: each byte is the length of
// a part.
func parts(in string, at []byte) []string {
	var out []string
	for _, n := range at {
		k := min(int(n)+1, len(in))
		out = append(out, in[:k])
		in = in[k:]
	}
	return append(out, in)
}

func FuzzLine(f *testing.F) {
	for _, in := range lineInputs {
		f.Add(in, []byte{1, 3}, 8)
	}
	f.Fuzz(func(t *testing.T, in string, at []byte, limit int) {
		limit = 2 + int(uint(limit)%10_000)
		if strings.Count(in, "\n") > 900 {
			return
		}
		if got, want := readLines(reader(limit, parts(in, at)...)), oracleLines(in, limit); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", in, got, want)
		}
	})
}

func FuzzBlock(f *testing.F) {
	for _, in := range blockInputs {
		f.Add(in, []byte{0, 2}, 3)
	}
	f.Fuzz(func(t *testing.T, in string, at []byte, size int) {
		body, rest, end := oracleBlock(in)
		r := reader(0, parts(in, at)...)
		b := r.Block()
		got, err := readIn(b, 1+int(uint(size)%100))
		if (end == nil) != (err == io.EOF) || end != nil && !errors.Is(err, end) || string(got) != body {
			t.Fatalf("%q: %q, %v, want %q, %v", in, got, err, body, end)
		}
		if end == nil && b.Bare() != oracleBare(body) {
			t.Fatalf("%q: bare is %v", in, b.Bare())
		}
		if after, _ := io.ReadAll(r); end == nil && string(after) != rest {
			t.Fatalf("%q: behind it %q, want %q", in, after, rest)
		}
	})
}

// readIn reads to the end in pieces of a size.
func readIn(r io.Reader, size int) (all []byte, err error) {
	p := make([]byte, size)
	for {
		n, err := r.Read(p)
		if all = append(all, p[:n]...); err != nil {
			return all, err
		}
	}
}

// FuzzBlockRoundTrip writes any bytes as a block and reads them again: the same
// but for line ends.
func FuzzBlockRoundTrip(f *testing.F) {
	for _, in := range blockInputs {
		f.Add(in, []byte{0, 2})
	}
	f.Fuzz(func(t *testing.T, in string, at []byte) {
		w, o := newWriter(16)
		b := w.BlockWriter()
		for _, part := range parts(in, at) {
			if _, err := io.WriteString(b, part); err != nil {
				t.Fatal(err)
			}
		}
		b.Close()
		w.LineString("next")
		w.Flush()
		r := reader(0, o.String())
		got, err := io.ReadAll(r.Block())
		want := strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\n", "\r\n")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want = strings.TrimSuffix(want, "\r") + "\r\n"
		}
		if err != nil || string(got) != want {
			t.Fatalf("%q: %q, %v, want %q", in, got, err, want)
		}
		if line, err := r.Line(); err != nil || string(line) != "next" {
			t.Fatalf("behind it %q, %v", line, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add("250-a\r\n250 b\r\n", []byte{1})
	f.Add("211-x\r\n 211 y\r\n211 z\r\n", []byte{})
	f.Fuzz(func(t *testing.T, in string, at []byte) {
		got, err := reader(0, parts(in, at)...).Reply()
		whole, wholeErr := reader(0, in).Reply()
		if !errors.Is(err, wholeErr) || got.Code != whole.Code || !slices.Equal(got.Lines, whole.Lines) {
			t.Fatalf("%q: %+v, %v in parts, %+v, %v whole", in, got, err, whole, wholeErr)
		}
		if err != nil {
			return
		}
		if got.Code < 100 || got.Code > 599 || len(got.Lines) == 0 {
			t.Fatalf("%q: %+v", in, got)
		}
		text := got.Append(nil)
		r := reader(2*wire.DefaultLine, string(text))
		again, err := r.Reply()
		if err != nil || again.Code != got.Code || !slices.Equal(again.Lines, got.Lines) {
			t.Fatalf("%q is written %q, read again %+v, %v", in, text, again, err)
		}
		if again := again.Append(nil); !bytes.Equal(again, text) {
			t.Fatalf("%q is written %q and then %q", in, text, again)
		}
	})
}
