package deflate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/conv/deflate"
)

func Example() {
	var wire bytes.Buffer
	w, _ := flate.NewWriter(&wire, flate.BestSpeed)
	fmt.Fprint(w, "a NOOP\r\n")
	_ = w.Flush() // and no end
	p := make([]byte, 100)
	n, err := deflate.NewReader(&wire).Read(p)
	fmt.Printf("%q %v\n", p[:n], err)
	// Output: "a NOOP\r\n" <nil>
}

// texts are more and less compressible.
func texts() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 40_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	words := make([]byte, 0, 90_000)
	for len(words) < 90_000 {
		words = fmt.Appendf(words, "%d is a number\r\n", r.IntN(1000))
	}
	return [][]byte{nil, []byte("a"), noise, words, bytes.Repeat([]byte("ab"), 40_000), []byte(strings.Repeat("x", 66_000))}
}

// TestAgainstFlate reads what compress/flate writes, however it comes.
func TestAgainstFlate(t *testing.T) {
	for i, text := range texts() {
		for _, level := range []int{flate.NoCompression, flate.BestSpeed, flate.DefaultCompression, flate.BestCompression, flate.HuffmanOnly} {
			var wire bytes.Buffer
			w, err := flate.NewWriter(&wire, level)
			if err != nil {
				t.Fatal(err)
			}
			half := len(text) / 2
			_, _ = w.Write(text[:half]) // into memory
			_ = w.Flush()
			_, _ = w.Write(text[half:])
			_ = w.Close()
			for name, src := range map[string]io.Reader{
				"whole": bytes.NewReader(wire.Bytes()), "bytes": iotest.OneByteReader(bytes.NewReader(wire.Bytes())),
				"halves": iotest.HalfReader(bytes.NewReader(wire.Bytes())),
			} {
				if got, err := io.ReadAll(deflate.NewReader(src)); err != nil || !bytes.Equal(got, text) {
					t.Errorf("text %d, level %d, %s: %d bytes of %d, %v", i, level, name, len(got), len(text), err)
				}
			}
		}
	}
}

// stutter fails before each byte.
type stutter struct {
	b     []byte
	ready bool
}

var errAgain = errors.New("again")

func (s *stutter) Read(p []byte) (int, error) {
	if s.ready = !s.ready; s.ready {
		return 0, errAgain
	}
	if len(s.b) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p[:1], s.b)
	s.b = s.b[n:]
	return n, nil
}

// TestGoesOn has the source fail again and again, and gives after each byte all
// that could be known. The stream was made by zlib with Z_PARTIAL_FLUSH, which
// ends no byte.
func TestGoesOn(t *testing.T) {
	wire := []byte("\x32\x56\xf0\x73\xf4\x75\x0d\x0e\x70\x74\x76\xe5\xe5\x02\x08")
	d := deflate.NewReader(&stutter{b: wire})
	var got []byte
	p := make([]byte, 3)
	for range 100 {
		n, err := d.Read(p)
		got = append(got, p[:n]...)
		if err != nil && !errors.Is(err, errAgain) {
			break
		}
	}
	if string(got) != "3 NAMESPACE\r\n" {
		t.Errorf("%q", got)
	}
}

func TestCorrupt(t *testing.T) {
	for _, wire := range []string{
		"\x07", "\x01\x01\x00\x00\x00", "\xfd\xff\xff\xff\xff\xff\xff\xff\xff", "\x63\x00\x02\x00", "\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00",
	} {
		got, err := io.ReadAll(deflate.NewReader(strings.NewReader(wire)))
		_, want := io.ReadAll(flate.NewReader(strings.NewReader(wire)))
		if (err == nil) != (want == nil) {
			t.Errorf("%q: %q, %v; flate: %v", wire, got, err, want)
		}
	}
}

// FuzzInflate compares with compress/flate.
func FuzzInflate(f *testing.F) {
	for _, text := range texts()[:3] {
		var wire bytes.Buffer
		w, _ := flate.NewWriter(&wire, flate.BestCompression)
		_, _ = w.Write(text[:min(len(text), 2000)])
		_ = w.Close()
		f.Add(wire.Bytes())
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(wire)), 1<<17))
		got, err := io.ReadAll(io.LimitReader(deflate.NewReader(iotest.OneByteReader(bytes.NewReader(wire))), 1<<17))
		// Input that ends may be seen to be corrupt sooner by the one or the other.
		if !bytes.HasPrefix(got, want) || wantErr == nil && (err != nil || len(got) != len(want)) {
			t.Errorf("%d bytes, %v; flate has %d, %v", len(got), err, len(want), wantErr)
		}
	})
}
