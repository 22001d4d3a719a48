package message

import (
	"bytes"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// Any octets are a message, the same one however they arrive; its tree holds
// together, goes through a cache, and every piece of it can be read.
func FuzzParse(f *testing.F) {
	for _, name := range uglyFiles(f) {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, text := range longLines() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lim := Limits{Header: 2000, Fields: 20, Parts: 20, Depth: 8}
		root, err := Parse(bytes.NewReader(text), lim)
		if err != nil || root.End != int64(len(text)) {
			t.Fatalf("%v, %d of %d", err, root.End, len(text))
		}
		again, err := Parse(iotest.OneByteReader(bytes.NewReader(text)), lim)
		if err != nil || !reflect.DeepEqual(root, again) {
			t.Fatalf("by octets: %v\n%+v\n%+v", err, root, again)
		}
		if whole := ParseBytes(text, lim); !reflect.DeepEqual(root, whole) {
			t.Fatalf("in memory:\n%+v\n%+v", root, whole)
		}
		checkTree(t, root, root.End)
		cached, err := ParsePart(root.Append(nil))
		if err != nil || !reflect.DeepEqual(root, cached) {
			t.Fatalf("cached: %v\n%+v\n%+v", err, root, cached)
		}
		ra := bytes.NewReader(text)
		for p := range root.Walk {
			if _, err := io.Copy(io.Discard, p.Text(ra)); err != nil {
				t.Error(err)
			}
			if lines := bytes.Count(text[p.Body:p.End], []byte{'\n'}); p.Lines != int64(lines) {
				t.Errorf("%d lines, counted %d", lines, p.Lines)
			}
		}
		if _, err := root.Preview(ra); err != nil {
			t.Error(err)
		}
	})
}

// Any octets may lie in a cache.
func FuzzParsePart(f *testing.F) {
	f.Add((&Part{}).Append(nil))
	root, err := Parse(strings.NewReader(nested), Limits{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(root.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePart(b)
		if err != nil {
			return
		}
		again, err := ParsePart(p.Append(nil))
		if err != nil || !bytes.Equal(p.Append(nil), again.Append(nil)) {
			t.Errorf("%v\n%+v\n%+v", err, p, again)
		}
	})
}

// Any text may stand in a field. What is read of it and can be written is
// written so that it is read the same.
func FuzzFields(f *testing.F) {
	for _, s := range []string{
		`"Joe Q. Public" <@a,@b:john.q.public@example.com>, G: a@b (c), "x\"y"@[1.2.3.4];`,
		"Thu, 13 Feb 1969 23:32 -0330 (Newfoundland Time)",
		"application/x-stuff; title*0*=us-ascii'en'This%20is; title*1=more; a=\"b\\\"\"",
		"=?utf-8?B?YmzD?= =?utf-8?B?pWLDpnI=?= x =?iso-8859-1?q?a=?=",
		"Re: [list] [fwd: hello (fwd)]",
		"<a@b> <\"c\"@d> e@f",
		"8bit (comment \\) ( nested",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, _ := ParseAddresses(s)
		for _, a := range list {
			b, err := a.Append(nil)
			if err != nil {
				continue
			}
			again, err := ParseAddresses(string(b))
			// A local part that is nothing but what a name may be cannot be told from it, and a name of blanks goes.
			if err != nil || len(again) != 1 || again[0].Spec() != a.Spec() || len(again[0].Members) != len(a.Members) {
				t.Errorf("%+v is written %q and read %+v, %v", a, b, again, err)
			}
		}
		if date, err := ParseDate(s); err == nil {
			again, err := ParseDate(FormatDate(date))
			if year := date.Year(); err != nil && year >= 1000 && year <= 9999 || err == nil && year >= 1000 && year <= 9999 && again.Unix() != date.Unix() {
				t.Errorf("%q is %v, then %v, %v", s, date, again, err)
			}
		}
		for _, id := range ParseMessageIDs(s) {
			if again := ParseMessageIDs(id); strings.HasPrefix(id, "<") && len(again) > 1 {
				t.Errorf("%q is %q", id, again)
			}
		}
		mt, _ := ParseMediaType(s)
		for _, p := range mt.Params {
			mt.Params.Get(p.Name)
		}
		BaseSubject(s)
		if text := DecodeText(s); strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("%q is decoded as %q", s, text)
		}
		encodingName(s)
		ParseDisposition(s)
	})
}

// Whatever a person writes is read as it was written, and breaks no line.
func FuzzWrite(f *testing.F) {
	f.Add("blåbær", "a b.txt")
	f.Add("a\r\nBcc: x", "日本'%*\"\\")
	f.Add(" =?x?= ", strings.Repeat("long ", 40))
	f.Fuzz(func(t *testing.T, text, name string) {
		raw, err := AppendField(nil, "Subject", EncodeText(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := oneLine(validText(text))
		if got := (Field{Raw: raw}).Text(); got != want {
			t.Errorf("%q is written %q and read %q", text, raw, got)
		}
		if strings.ContainsAny(name, "\r\n\x00") {
			return
		}
		p := Params{{"filename", name}}
		raw, err = AppendField(nil, "X", string(p.Append([]byte("a/b"))))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		mt, _ := ParseMediaType((Field{Raw: raw}).Value())
		if got := mt.Params.Get("filename"); got != validText(name) {
			t.Errorf("%q is written %q and read %q", name, raw, got)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
			if strings.ContainsAny(line, "\r\n") || len(line) > maxLine {
				t.Errorf("line %q", line)
			}
		}
	})
}

// Any octets may be decoded, the same whole and in pieces, and what we encode
// comes back.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("SGVsbG8=\r\n=3D = \r\n"))
	f.Add([]byte("begin 644 f\n#0V%T\n`\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, encoding := range []string{"base64", "quoted-printable", "x-uuencode"} {
			decodeAll(t, encoding, string(b))
		}
		var out bytes.Buffer
		w := NewEncoder(&out, "base64")
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, defects := decodeAll(t, "base64", out.String()); got != string(b) || defects != "[]" {
			t.Errorf("%q is %q, %s", b, got, defects)
		}
		text, err := io.ReadAll(NewCRLFReader(bytes.NewReader(b)))
		if err != nil || strings.ContainsAny(strings.ReplaceAll(string(text), "\r\n", ""), "\r\n") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
