package message

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadHeader(t *testing.T) {
	text := "Subject: one\r\n two\r\nX: 1\r\nx: 2\r\n\r\nbody\r\n"
	h, body, err := ReadHeader(iotest.OneByteReader(strings.NewReader(text)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Get("subject"); got != "one two" {
		t.Errorf("Subject is %q", got)
	}
	if got := slices.Collect(h.All("X")); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("X is %q", got)
	}
	if rest, err := io.ReadAll(body); string(rest) != "body\r\n" || err != nil {
		t.Errorf("body is %q, %v", rest, err)
	}
	if got := string(h.Append(nil)); got+"body\r\n" != text {
		t.Errorf("written again: %q", got)
	}
}

func TestReadHeaderOfABrokenReader(t *testing.T) {
	broken := errors.New("unplugged")
	r := io.MultiReader(strings.NewReader("Subject: x\r\n"), iotest.ErrReader(broken))
	if _, _, err := ReadHeader(r, Limits{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// What is over a limit is dropped whole: a fold must not end up below a field
// that it does not belong to.
func TestHeaderLimits(t *testing.T) {
	text := "A: 1\r\nB: " + strings.Repeat("x", 100) + "\r\n y\r\nC: 3\r\n\r\nbody"
	for _, read := range []func(Limits) (Header, string){
		func(l Limits) (Header, string) {
			h, n := ParseHeader([]byte(text), l)
			return h, text[n:]
		},
		func(l Limits) (Header, string) {
			h, body, err := ReadHeader(strings.NewReader(text), l)
			if err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(body)
			return h, string(rest)
		},
	} {
		h, rest := read(Limits{Header: 50})
		if len(h.Fields) != 1 || h.Get("A") != "1" || rest != "body" || h.Defects[0].Kind != HeaderTooLarge {
			t.Errorf("%d fields, A is %q, then %q, %v", len(h.Fields), h.Get("A"), rest, h.Defects)
		}
		h, rest = read(Limits{Fields: 1})
		if len(h.Fields) != 1 || h.Get("A") != "1" || rest != "body" || h.Defects[0].Kind != TooManyFields {
			t.Errorf("%d fields, A is %q, then %q, %v", len(h.Fields), h.Get("A"), rest, h.Defects)
		}
	}
}

func TestHeaderIsEdited(t *testing.T) {
	var h Header
	for _, f := range [][2]string{{"To", "a@x.test"}, {"Subject", "s"}, {"to", "b@x.test"}} {
		if err := h.Add(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Set("TO", "c@x.test"); err != nil {
		t.Fatal(err)
	}
	if got := string(h.Append(nil)); got != "Subject: s\r\nTO: c@x.test\r\n\r\n" {
		t.Errorf("%q", got)
	}
	for _, f := range []struct {
		name, value string
		want        error
	}{
		{"Subject", "a\r\nBcc: b@x.test", ErrBreak},
		{"Subject", "a\nb", ErrBreak},
		{"Subject", "a\rb", ErrBreak},
		{"Subject", "a\x00b", ErrBreak},
		{"Sub ject", "a", ErrName},
		{"Subject:", "a", ErrName},
		{"Bcc: x\r\nSubject", "a", ErrName},
		{"", "a", ErrName},
		{"Sübject", "a", ErrName},
		{"Subject", strings.Repeat("x", 998), ErrLong},
	} {
		if err := h.Add(f.name, f.value); !errors.Is(err, f.want) {
			t.Errorf("Add %q, %.20q: %v, want %v", f.name, f.value, err, f.want)
		}
		if err := h.Set(f.name, f.value); !errors.Is(err, f.want) {
			t.Errorf("Set %q, %.20q: %v, want %v", f.name, f.value, err, f.want)
		}
	}
	if len(h.Fields) != 2 {
		t.Errorf("%d fields after all that was refused", len(h.Fields))
	}
}

func TestSelectFields(t *testing.T) {
	header := []byte("From: a\r\nTo: b\r\n c\r\nfrom: d\r\nX: y\r\n\r\n")
	for _, c := range []struct {
		names []string
		not   bool
		want  string
	}{
		{[]string{"FROM"}, false, "From: a\r\nfrom: d\r\n\r\n"},
		{[]string{"to", "x"}, false, "To: b\r\n c\r\nX: y\r\n\r\n"},
		{[]string{"to", "x"}, true, "From: a\r\nfrom: d\r\n\r\n"},
		{[]string{"date"}, false, "\r\n"},
	} {
		if got := string(SelectFields(nil, header, c.names, c.not)); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.names, c.not, got, c.want)
		}
	}
}

func TestAppendFieldFolds(t *testing.T) {
	word := strings.Repeat("w", 30)
	for _, c := range []struct{ value, want string }{
		{"short", "Subject: short\r\n"},
		{"", "Subject:\r\n"},
		{strings.Join([]string{word, word, word}, " "), "Subject: " + word + " " + word + "\r\n " + word + "\r\n"},
		{word + "  \t " + word + "\t" + word, "Subject: " + word + "  \t " + word + "\r\n\t" + word + "\r\n"},
		{strings.Repeat("w", 100), "Subject: " + strings.Repeat("w", 100) + "\r\n"},
		{strings.Repeat("w", 990), "Subject:\r\n " + strings.Repeat("w", 990) + "\r\n"},
		{"a " + strings.Repeat("w", 100) + " b", "Subject: a\r\n " + strings.Repeat("w", 100) + "\r\n b\r\n"},
	} {
		got, err := AppendField(nil, "Subject", c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%q, %v, want %q", got, err, c.want)
		}
		if f := (Field{Name: "Subject", Raw: got}); f.Value() != c.value {
			t.Errorf("%q unfolds to %q", got, f.Value())
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<a@b>", "<a@b>"},
		{"<a@b> <c@d>\t(old) <e@f>", "<a@b> <c@d> <e@f>"},
		{"<a@b><c@d>,<e@f>", "<a@b> <c@d> <e@f>"},
		{`Your message of "Mon <x>" <a@b>`, "<a@b>"},
		{`<"a"@b> <"a b"@c>`, `<a@b> <"a b"@c>`},
		{"<a @ b>", "<a@b>"},
		{"a@b c@d;", "<a@b> <c@d>"},
		{"<a@b <c@d>", "<a@b> <c@d>"},
		{"<>", ""},
		{"nonsense", ""},
	} {
		if got := strings.Join(ParseMessageIDs(c.in), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestValidMessageID(t *testing.T) {
	long := "<" + strings.Repeat("a", 246) + "@b>"
	for _, c := range []struct {
		id         string
		nntp, news bool
	}{
		{"<a@b>", true, true},
		{"<a.b@c.d>", true, true},
		{"<a@[1.2.3.4]>", true, true},
		{long, true, true},
		{long[:5] + long[4:], false, false},
		{"<a>", true, false},
		{"<a@b@c>", true, false},
		{"<.a@b>", true, false},
		{`<"a"@b>`, true, false},
		{"<a@[b]c]>", true, false},
		{"<a>b@c>", false, false},
		{"<a b@c>", false, false},
		{"<å@c>", false, false},
		{"a@b", false, false},
		{"<>", false, false},
		{"", false, false},
	} {
		if ValidMessageID(c.id) != c.nntp || ValidNewsID(c.id) != c.news {
			t.Errorf("%q: %v %v, want %v %v", c.id, ValidMessageID(c.id), ValidNewsID(c.id), c.nntp, c.news)
		}
	}
}
