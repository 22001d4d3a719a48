package message

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func write(t *testing.T, m *Builder) (string, *Part) {
	t.Helper()
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d of %d octets, %v", n, b.Len(), err)
	}
	root := parse(t, b.String())
	for p := range root.Walk {
		if len(p.Defects) > 0 {
			t.Errorf("what we wrote has defects: %v\n%s", p.Defects, b.String())
		}
	}
	return b.String(), root
}

// kinds writes the tree of types.
func kinds(p *Part) string {
	s := p.Type.Subtype
	if len(p.Parts) == 0 {
		return s
	}
	var in []string
	for i := range p.Parts {
		in = append(in, kinds(&p.Parts[i]))
	}
	return s + "(" + strings.Join(in, " ") + ")"
}

var ann = Address{Name: "Ann Å", Local: "ann", Domain: "x.test"}

func TestBuilderTrees(t *testing.T) {
	file := func() []Attachment {
		return []Attachment{{Name: "blå.bin", Content: strings.NewReader("\x00\x01")}}
	}
	for _, c := range []struct {
		m    Builder
		want string
	}{
		{Builder{}, "plain"},
		{Builder{Text: "a"}, "plain"},
		{Builder{HTML: "<p>a"}, "html"},
		{Builder{Text: "a", HTML: "<p>a"}, "alternative(plain html)"},
		{Builder{Text: "a", HTML: "<p>a", Inline: file()}, "alternative(plain related(html octet-stream))"},
		{Builder{Text: "a", Inline: file()}, "mixed(plain octet-stream)"},
		{Builder{Text: "a", HTML: "<p>a", Inline: file(), Attachments: append(file(), file()...)}, "mixed(alternative(plain related(html octet-stream)) octet-stream octet-stream)"},
	} {
		c.m.From = []Address{ann}
		if _, root := write(t, &c.m); kinds(root) != c.want {
			t.Errorf("%s, want %s", kinds(root), c.want)
		}
	}
}

func TestBuilderWritesWhatItWasGiven(t *testing.T) {
	inside := "Subject: inside\n\nå\n"
	m := Builder{
		From: []Address{ann}, To: []Address{{Local: "bob", Domain: "x.test"}}, Bcc: []Address{{Local: "eve", Domain: "x.test"}, {Local: "bob", Domain: "x.test"}},
		Subject:    strings.Repeat("blåbær and ", 20),
		Date:       time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC),
		References: []string{"<a@b>", "<c@d>"},
		Text:       "Hei,\n\nblåbær " + strings.Repeat("long ", 300) + "\n-- \n.\nFrom me",
		HTML:       "<p>æøå æøå æøå</p>",
		Inline:     []Attachment{{ID: "logo@x", Type: "image/png", Content: strings.NewReader("PNG")}},
		Attachments: []Attachment{
			{Name: "inside.eml", Type: "message/rfc822", Content: strings.NewReader(inside)},
			{Name: "n.txt", Type: "text/plain; charset=utf-8", Content: iotest.OneByteReader(strings.NewReader(strings.Repeat("å", 100)))},
		},
	}
	if err := m.Header.Add("X-Extra", "yes"); err != nil {
		t.Fatal(err)
	}
	text, root := write(t, &m)
	if strings.Contains(text, "eve@") {
		t.Error("Bcc was written")
	}
	if got := strings.Join(m.Recipients(), " "); got != "bob@x.test eve@x.test" {
		t.Errorf("recipients %s", got)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > goodLine || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	ra := strings.NewReader(text)
	h, err := root.ReadHeader(ra, Limits{})
	if err != nil || h.Subject() != strings.TrimSpace(m.Subject)+" " || h.Get("X-Extra") != "yes" || h.Get("Date") != "Sat, 21 Nov 2026 13:00:00 +0000" {
		t.Errorf("%v %q %q", err, h.Subject(), h.Get("Date"))
	}
	if ids := h.References(); len(ids) != 2 || !ValidNewsID(h.MessageID()) || !strings.HasSuffix(h.MessageID(), "@x.test>") {
		t.Errorf("%q %q", ids, h.MessageID())
	}
	for _, c := range []struct {
		path []int
		want string
	}{
		{[]int{1, 1}, string(canonical(m.Text))},
		{[]int{1, 2, 1}, m.HTML + "\r\n"},
		{[]int{1, 2, 2}, "PNG"},
		{[]int{2}, crlf(inside)},
		{[]int{3}, strings.Repeat("å", 100)},
	} {
		p, ok := root.Find(c.path)
		if !ok {
			t.Fatalf("no part %v", c.path)
		}
		if got, err := io.ReadAll(p.Decode(ra)); string(got) != c.want || err != nil {
			t.Errorf("part %v: %q, %v, want %q", c.path, got, err, c.want)
		}
	}
	if p, _ := root.Find([]int{1, 2, 2}); p.ID != "<logo@x>" || p.Disposition.Value != "inline" {
		t.Errorf("%q %q", p.ID, p.Disposition.Value)
	}
	if p, _ := root.Find([]int{2, 1}); p == nil || p.Envelope != nil && p.Envelope.Subject != "inside" {
		t.Error("the message inside cannot be found")
	}
}

func TestBuilderRefuses(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for name, c := range map[string]struct {
		m    Builder
		want error
	}{
		"no author":         {Builder{}, ErrAddress},
		"no sender":         {Builder{From: []Address{ann, ann}}, ErrAddress},
		"author of nowhere": {Builder{From: []Address{{Local: "a"}}}, ErrAddress},
		"break in name":     {Builder{From: []Address{ann}, To: []Address{{Name: "x\r\nBcc: y", Local: "a", Domain: "b"}}}, ErrBreak},
		"break in id":       {Builder{From: []Address{ann}, MessageID: "<a@b>\r\nX: y"}, ErrBreak},
		"break in refs":     {Builder{From: []Address{ann}, References: []string{"<a@b>\nX: y"}}, ErrBreak},
		"long reference":    {Builder{From: []Address{ann}, References: []string{long}}, ErrLong},
		"bad extra":         {Builder{From: []Address{ann}, Header: Header{Fields: []Field{{Name: "X y", Raw: []byte("X y: z\r\n")}}}}, ErrName},
		"break in file":     {Builder{From: []Address{ann}, Attachments: []Attachment{{Name: "a\r\nb"}}}, ErrBreak},
		"break in cid":      {Builder{From: []Address{ann}, Attachments: []Attachment{{ID: "a\r\nb"}}}, ErrBreak},
		"break in type":     {Builder{From: []Address{ann}, Attachments: []Attachment{{Type: "text/plain;\r\n x=y"}}}, ErrBreak},
	} {
		var b bytes.Buffer
		if n, err := c.m.WriteTo(&b); !errors.Is(err, c.want) || n != 0 || b.Len() != 0 {
			t.Errorf("%s: %v, %d octets, want %v", name, err, n, c.want)
		}
	}
	for _, typ := range []string{"multipart/mixed", "junk", "text/"} {
		m := Builder{From: []Address{ann}, Attachments: []Attachment{{Type: typ}}}
		if _, err := m.WriteTo(io.Discard); err == nil {
			t.Errorf("an attachment of type %q was taken", typ)
		}
	}
	// A subject may hold anything: it becomes encoded words.
	m := Builder{From: []Address{ann}, Subject: "a\r\nBcc: eve@x.test " + long}
	if text, root := write(t, &m); strings.Contains(text, "\r\nBcc:") || strings.Contains(root.Envelope.Subject, "\n") {
		t.Errorf("%q", text)
	}
}

func TestBuilderGivesErrors(t *testing.T) {
	broken := errors.New("unplugged")
	m := Builder{From: []Address{ann}, Attachments: []Attachment{{Content: iotest.ErrReader(broken)}}}
	if _, err := m.WriteTo(io.Discard); !errors.Is(err, broken) {
		t.Errorf("content: %v", err)
	}
	for n := range 12 {
		m := Builder{From: []Address{ann}, Text: "å", HTML: "ø", Attachments: []Attachment{{Content: strings.NewReader("x")}}}
		if _, err := m.WriteTo(&failing{n, broken}); !errors.Is(err, broken) {
			t.Errorf("write %d: %v", n, err)
		}
	}
}

// failing writes some times, and then no more.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}
