package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// nested is RFC 9051's example of part numbers (6.4.5.1), filled in.
var nested = crlf(`From: a@x.test
Subject: outer
Content-Type: multipart/mixed; boundary=b1

preamble
--b1
Content-Type: text/plain

one
--b1
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

dHdv
--b1
Content-Type: message/rfc822

From: b@x.test
Subject: inner
Content-Type: multipart/mixed; boundary=b2

--b2

three one
--b2
Content-Type: application/octet-stream

three two
--b2--
--b1
Content-Type: multipart/mixed; boundary=b3

--b3
Content-Type: image/gif

four one
--b3
Content-Type: message/rfc822

From: c@x.test
Content-Type: multipart/mixed; boundary=b4

--b4
Content-Type: text/plain

four two one
--b4
Content-Type: multipart/alternative; boundary=b5

--b5

four two two one
--b5
Content-Type: text/richtext

four two two two
--b5--
--b4--
--b3--
--b1--
epilogue
`)

func parse(t *testing.T, text string) *Part {
	t.Helper()
	p, err := Parse(strings.NewReader(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRangesOfNestedParts(t *testing.T) {
	root := parse(t, nested)
	for _, c := range []struct {
		path string
		what What
		want string
	}{
		{"", Whole, strings.ReplaceAll(nested, "\r\n", "\n")},
		{"", Head, "From: a@x.test\nSubject: outer\nContent-Type: multipart/mixed; boundary=b1\n\n"},
		{"1", Whole, "one"},
		{"1", MIME, "Content-Type: text/plain\n\n"},
		{"2", Whole, "dHdv"},
		{"3", MIME, "Content-Type: message/rfc822\n\n"},
		{"3", Head, "From: b@x.test\nSubject: inner\nContent-Type: multipart/mixed; boundary=b2\n\n"},
		{"3", Text, "--b2\n\nthree one\n--b2\nContent-Type: application/octet-stream\n\nthree two\n--b2--"},
		{"3.1", Whole, "three one"},
		{"3.1", MIME, "\n"},
		{"3.2", Whole, "three two"},
		{"4.1", MIME, "Content-Type: image/gif\n\n"},
		{"4.1", Whole, "four one"},
		{"4.2", Head, "From: c@x.test\nContent-Type: multipart/mixed; boundary=b4\n\n"},
		{"4.2.1", Whole, "four two one"},
		{"4.2.2.1", Whole, "four two two one"},
		{"4.2.2.2", Whole, "four two two two"},
		{"4.2.2", MIME, "Content-Type: multipart/alternative; boundary=b5\n\n"},
	} {
		path := numbers(t, c.path)
		from, to, ok := root.Range(path, c.what)
		if !ok || from > to || strings.ReplaceAll(nested[from:to], "\r\n", "\n") != c.want {
			t.Errorf("%s %d: %v %q, want %q", c.path, c.what, ok, nested[from:to], c.want)
		}
	}
	for _, c := range []struct {
		path string
		what What
	}{{"", MIME}, {"1", Head}, {"1", Text}, {"5", Whole}, {"1.1", Whole}, {"0", Whole}, {"3.3", Whole}, {"4.2.2.1.1", Whole}} {
		if _, _, ok := root.Range(numbers(t, c.path), c.what); ok {
			t.Errorf("%s %d is there", c.path, c.what)
		}
	}
}

func numbers(t *testing.T, path string) []int {
	t.Helper()
	var out []int
	for s := range strings.SplitSeq(path, ".") {
		var n int
		if _, err := fmt.Sscan(s, &n); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// A message that is no multipart is its own part 1, also inside another.
func TestPartOneOfAPlainMessage(t *testing.T) {
	plain := crlf("From: a@x.test\n\nbody\n")
	root := parse(t, plain)
	from, to, ok := root.Range([]int{1}, Whole)
	if !ok || plain[from:to] != "body\r\n" {
		t.Errorf("%v %q", ok, plain[from:to])
	}
	if from, to, ok = root.Range([]int{1}, MIME); !ok || plain[from:to] != "From: a@x.test\r\n\r\n" {
		t.Errorf("MIME: %v %q", ok, plain[from:to])
	}
	if _, _, ok = root.Range([]int{1, 1}, Whole); ok {
		t.Error("1.1 of a plain message")
	}

	forward := crlf("Content-Type: message/rfc822\n\nFrom: b@x.test\n\ninside\n")
	root = parse(t, forward)
	if from, to, ok = root.Range([]int{1}, Whole); !ok || forward[from:to] != crlf("From: b@x.test\n\ninside\n") {
		t.Errorf("1: %v %q", ok, forward[from:to])
	}
	if from, to, ok = root.Range([]int{1, 1}, Whole); !ok || forward[from:to] != "inside\r\n" {
		t.Errorf("1.1: %v %q", ok, forward[from:to])
	}
	if from, to, ok = root.Range([]int{1}, Head); !ok || forward[from:to] != crlf("From: b@x.test\n\n") {
		t.Errorf("1.HEADER: %v %q", ok, forward[from:to])
	}
}

// However the octets arrive, and whatever ends the lines, the tree is the same.
func TestParseIsTheSameByAnyReader(t *testing.T) {
	want := parse(t, nested)
	for name, r := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(strings.NewReader(nested)),
		"half":     iotest.HalfReader(strings.NewReader(nested)),
		"data+EOF": iotest.DataErrReader(strings.NewReader(nested)),
	} {
		got, err := Parse(r, Limits{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%v\n%v", name, err, got, want)
		}
	}
	lf := strings.ReplaceAll(nested, "\r\n", "\n")
	got := parse(t, lf)
	if !got.Has(BareLF) {
		t.Error("no BareLF noted")
	}
	var a, b []string
	for p := range want.Walk {
		a = append(a, strings.ReplaceAll(nested[p.Body:p.End], "\r\n", "\n"))
	}
	for p := range got.Walk {
		b = append(b, lf[p.Body:p.End])
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("with LF:\n%q\n%q", b, a)
	}
}

func TestParseGivesTheReadersError(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, n := range []int{0, 10, 100, len(nested) - 1} {
		r := io.MultiReader(strings.NewReader(nested[:n]), iotest.ErrReader(broken))
		if p, err := Parse(r, Limits{}); !errors.Is(err, broken) || p == nil {
			t.Errorf("after %d: %v, %v", n, p, err)
		}
	}
}

func TestCacheRoundTrip(t *testing.T) {
	root := parse(t, nested)
	b := root.Append(nil)
	got, err := ParsePart(b)
	if err != nil || !reflect.DeepEqual(got, root) {
		t.Fatalf("%v\n%+v\n%+v", err, got, root)
	}
	for n := range b {
		if _, err := ParsePart(b[:n]); !errors.Is(err, ErrCached) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, err := ParsePart(append(bytes.Clone(b), 0)); !errors.Is(err, ErrCached) {
		t.Errorf("with more behind: %v", err)
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 200) + "text\r\n"
	count := func(p *Part) int {
		n := 0
		for range p.Walk {
			n++
		}
		return n
	}
	for _, c := range []struct {
		text string
		lim  Limits
		want int
		kind DefectKind
	}{
		{deep, Limits{}, 51, TooDeep},
		{deep, Limits{Depth: 3}, 4, TooDeep},
		{deep, Limits{Parts: 7}, 7, TooManyParts},
		{nested, Limits{Parts: 4}, 4, TooManyParts},
		{nested, Limits{Header: 60}, 1, HeaderTooLarge},
		{nested, Limits{Fields: 2}, 1, TooManyFields},
	} {
		p, err := Parse(strings.NewReader(c.text), c.lim)
		if err != nil || count(p) != c.want || !p.Has(c.kind) || p.End != int64(len(c.text)) {
			t.Errorf("%+v: %v, %d parts, end %d", c.lim, err, count(p), p.End)
		}
	}
}
