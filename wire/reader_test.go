package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/wire"
)

// lineInputs is what is cut at every byte.
var lineInputs = []string{
	"one\r\ntwo\r\n\r\n", "bare\nok\r\n", "a\rb\r\nok\r\n", "a\r\r\nok\r\n", "\r\n", "\n", "\r", "\r\r\n\n\r",
	"no end", "no end\r", "1234567890\r\nok\r\n", "123456\r\n", "1234567\r\nok\r\n", strings.Repeat("x", 50) + "\r\nok\r\n",
	strings.Repeat("x", 50), "\xff\x00\r\n", strings.Repeat("x", 7) + "\n\r\n",
}

// TestLineCutEverywhere has Line agree with the oracle on every line, however
// the input is cut, with a limit of 8 bytes.
func TestLineCutEverywhere(t *testing.T) {
	for _, in := range lineInputs {
		cuts(in, func(parts ...string) {
			if got, want := readLines(reader(8, parts...)), oracleLines(in, 8); got != want {
				t.Errorf("%q in %q:\ngot  %s\nwant %s", in, parts, got, want)
			}
		})
	}
}

func readLines(r *wire.Reader) string {
	var b strings.Builder
	for range 1000 {
		line, err := r.Line()
		fmt.Fprintf(&b, "%q %v|", line, err)
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return b.String()
		}
	}
	return b.String() + " without end"
}

func oracleLines(in string, limit int) string {
	var b strings.Builder
	for within := false; ; {
		line, rest, err := oracleLine(in, limit, within)
		fmt.Fprintf(&b, "%q %v|", line, err)
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return b.String()
		}
		within = errors.Is(err, wire.ErrLineTooLong) && !strings.Contains(in, "\n")
		in = rest
	}
}

func TestLooseLine(t *testing.T) {
	r := reader(0, "unix\nnet\r\nmid\rdle\nlast")
	for _, want := range []string{"unix", "net", "mid\rdle"} {
		if line, err := r.LooseLine(); err != nil || string(line) != want {
			t.Fatalf("%q, %v, want %q", line, err, want)
		}
	}
	if _, err := r.LooseLine(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}

func TestLimits(t *testing.T) {
	r := reader(0)
	if r.Limit() != wire.DefaultLine {
		t.Fatal(r.Limit())
	}
	r.SetLimit(20)
	if r.Limit() != 20 {
		t.Fatal(r.Limit())
	}
	for length := range 3 * wire.DefaultLine {
		if length%1000 > 2 && (length < wire.DefaultLine-4 || length > wire.DefaultLine+2) {
			continue
		}
		line, err := reader(0, strings.Repeat("x", length)+"\r\n").Line()
		if fits := length+2 <= wire.DefaultLine; fits != (err == nil) || fits && len(line) != length {
			t.Errorf("a line of %d bytes: %d, %v", length, len(line), err)
		}
	}
}

// TestLongLineCostsNoMemory reads a line of 16 MiB with a limit of 100 bytes.
func TestLongLineCostsNoMemory(t *testing.T) {
	long := io.MultiReader(io.LimitReader(endless{}, 16<<20), strings.NewReader("\r\nok\r\n"))
	r := &wire.Reader{}
	r.Init(wire.Over(long, r), 100)
	if _, err := r.Line(); !errors.Is(err, wire.ErrLineTooLong) {
		t.Fatal(err)
	}
	if line, err := r.Line(); err != nil || string(line) != "ok" {
		t.Fatalf("%q, %v", line, err)
	}
	if r.Held() > 8192 {
		t.Errorf("it holds %d bytes", r.Held())
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestReadErrorsPassThrough(t *testing.T) {
	r := &wire.Reader{}
	r.Init(wire.Over(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errBroken)), r), 0)
	if _, err := r.Line(); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
}

func TestChunkReadByteDiscardPeek(t *testing.T) {
	r := reader(0, "ab", "cdefgh")
	if b, err := r.Chunk(); err != nil || string(b) != "ab" || r.Buffered() != 0 {
		t.Fatalf("%q, %v", b, err)
	}
	if c, err := r.ReadByte(); err != nil || c != 'c' || string(r.Peek()) != "defgh" || r.Buffered() != 5 {
		t.Fatalf("%c, %v, %q", c, err, r.Peek())
	}
	if err := r.Discard(2); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	p := make([]byte, 2)
	if n, err := r.Read(p); n != 2 || err != nil || string(p) != "fg" {
		t.Fatal(n, err, p)
	}
	if err := r.Discard(2); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if _, err := r.Chunk(); err != io.EOF {
		t.Fatal(err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Fatal(err)
	}
	if _, err := r.Read(p); err != io.EOF {
		t.Fatal(err)
	}
}

func TestLiteral(t *testing.T) {
	const in = "A {5}\r\nhel\r\nB\r\nafter\r\n"
	cuts(in, func(parts ...string) {
		for _, read := range []int{0, 2, 5} { // what is left is dropped
			r := reader(0, parts...)
			if line, err := r.Line(); err != nil || string(line) != "A {5}" {
				t.Fatalf("%q: %q, %v", parts, line, err)
			}
			l, err := r.Literal(5)
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, read)
			if _, err := io.ReadFull(l, p); err != nil || string(p) != "hel\r\n"[:read] || l.Left() != int64(5-read) {
				t.Fatalf("%q: %q, %v, %d left", parts, p, err, l.Left())
			}
			if read == 5 {
				if n, err := l.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Fatal(n, err)
				}
			}
			for _, want := range []string{"B", "after"} {
				if line, err := r.Line(); err != nil || string(line) != want {
					t.Fatalf("%q after %d: %q, %v", parts, read, line, err)
				}
			}
		}
	})
}

func TestLiteralCutShort(t *testing.T) {
	r := reader(0, "abc")
	l, err := r.Literal(5)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(l); string(b) != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("%q, %v", b, err)
	}
	r = reader(0, "abc")
	r.Literal(5)
	if _, err := r.Line(); err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	r = reader(0, "x\r\n")
	if l, err := r.Literal(0); err != nil || l.Left() != 0 {
		t.Fatal(err)
	}
	if line, err := r.Line(); err != nil || string(line) != "x" {
		t.Fatal(line, err)
	}
}

// TestNoAllocation is the promise of the package: none for a line, read or
// written.
func TestNoAllocation(t *testing.T) {
	r, w := &wire.Reader{}, &wire.Writer{}
	src := &loop{r: r, text: "MAIL FROM:<ann@example.test>\r\n"}
	r.Init(src, 0)
	w.Init(src)
	text := []byte("250 2.1.0 ok")
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := r.Line(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a line read", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if err := w.Line(text); err != nil {
			t.Fatal(err)
		}
		if err := w.LineString("250 ok"); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a line written", n)
	}
}

// loop is a Source that gives one text again and again.
type loop struct {
	r    *wire.Reader
	text string
	at   int
	in   [4096]byte
	out  [4096]byte
}

func (l *loop) Fill() error {
	room := l.r.Room()
	if len(room) == 0 {
		l.r.LendTo(l.in[:])
		room = l.r.Room()
	}
	n := copy(room, l.text[l.at:])
	l.at = (l.at + n) % len(l.text)
	l.r.Added(n)
	return nil
}

func (l *loop) Lend() []byte      { return l.out[:0] }
func (l *loop) Unlend([]byte)     {}
func (l *loop) Send([]byte) error { return nil }

// TestRewind has a request in pieces read as an engine does that may not wait:
// each time from the start, until it is whole.
func TestRewind(t *testing.T) {
	const in = "DATA\r\none\r\n..two\r\n.\r\nNEXT\r\n"
	r := &wire.Reader{}
	src := &drip{r: r, in: in}
	r.Init(src, 0)
	tries := 0
	for {
		mark := r.Mark()
		line, body, err := request(r)
		if err == nil {
			if line != "DATA" || body != "one\r\n.two\r\n" {
				t.Fatalf("%q, %q", line, body)
			}
			break
		}
		if err != wire.ErrWait {
			t.Fatal(err)
		}
		r.Rewind(mark)
		if tries++; !src.more() {
			t.Fatal("no more to come")
		}
	}
	if tries < 20 {
		t.Errorf("%d tries", tries)
	}
	for {
		mark := r.Mark()
		line, err := r.Line()
		if err == nil {
			if string(line) != "NEXT" {
				t.Fatalf("%q", line)
			}
			return
		}
		r.Rewind(mark)
		if !src.more() {
			t.Fatal(err)
		}
	}
}

func request(r *wire.Reader) (string, string, error) {
	line, err := r.Line()
	if err != nil {
		return "", "", err
	}
	verb := string(line)
	body, err := io.ReadAll(r.Block())
	return verb, string(body), err
}

// drip is a Source that never waits; more lets one byte come.
type drip struct {
	r    *wire.Reader
	in   string
	come int
	took int
}

func (d *drip) more() bool {
	d.come++
	if d.come > len(d.in) {
		return false
	}
	if len(d.r.Room()) == 0 {
		d.r.Grow()
	}
	n := copy(d.r.Room(), d.in[d.took:d.come])
	d.r.Added(n)
	d.took += n
	return true
}

func (d *drip) Fill() error       { return wire.ErrWait }
func (d *drip) Lend() []byte      { return nil }
func (d *drip) Unlend([]byte)     {}
func (d *drip) Send([]byte) error { return nil }

// TestRewindOverATooLongLine does not bring it back.
func TestRewindOverATooLongLine(t *testing.T) {
	r := &wire.Reader{}
	src := &drip{r: r, in: "12345678901234567890\r\nok\r\n"}
	r.Init(src, 8)
	long := 0
	for {
		mark := r.Mark()
		line, err := r.Line()
		switch {
		case err == nil:
			if string(line) != "ok" || long != 1 {
				t.Fatalf("%q, after %d long lines", line, long)
			}
			return
		case errors.Is(err, wire.ErrLineTooLong):
			long++
		case err == wire.ErrWait:
			r.Rewind(mark)
			if !src.more() {
				t.Fatal("no more to come")
			}
		default:
			t.Fatal(err)
		}
	}
}

func TestStorage(t *testing.T) {
	r := reader(0, "one\r\ntwo\r\nthr", "ee\r\n")
	for _, want := range []string{"one", "two"} {
		if line, err := r.Line(); err != nil || string(line) != want {
			t.Fatal(line, err)
		}
	}
	if got := string(r.Untold()); got != "one\r\ntwo\r\n" {
		t.Errorf("untold: %q", got)
	}
	if got := r.Untold(); got != nil {
		t.Errorf("told twice: %q", got)
	}
	r.Own()
	if r.Buffered() != 3 {
		t.Fatal(r.Buffered())
	}
	lent := make([]byte, 100)
	r.LendTo(lent)
	if !r.Lent() || !bytes.HasPrefix(lent, []byte("thr")) || r.Held() != 0 {
		t.Error("not lent")
	}
	if line, err := r.Line(); err != nil || string(line) != "three" {
		t.Fatal(line, err)
	}
	r.Own()
	if r.Lent() || r.Held() != 0 {
		t.Errorf("a Reader at rest holds %d bytes", r.Held())
	}
	for _, n := range []int{1, 512, 513, 4096, 4097, wire.Large, wire.Large + 1} {
		b := wire.Get(n)
		if len(b) < n {
			t.Errorf("Get(%d) gives %d", n, len(b))
		}
		wire.Put(b)
	}
}
