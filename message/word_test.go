package message

import (
	"strings"
	"testing"
)

func TestDecodeText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain",
		// RFC 2047 8
		"(=?ISO-8859-1?Q?a?=)":                                  "(a)",
		"(=?ISO-8859-1?Q?a?= b)":                                "(a b)",
		"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)":               "(ab)",
		"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)":              "(ab)",
		"(=?ISO-8859-1?Q?a_b?=)":                                "(a b)",
		"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)":              "(a b)",
		"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>": "Keld Jørn Simonsen <keld@dkuug.dk>",
		"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=": "If you can read this you understand the example.",
		"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=": "日本",
		"=?koi8-r?Q?=F0=D2=C9?=":             "При",
		"=?utf-8?Q??=":                       "",
		"a =?utf-8?Q?b":                      "a =?utf-8?Q?b",
		"=?utf-8?B?*?=":                      "=?utf-8?B?*?=",
		"=?utf-8?Q?a=ZZ?=":                   "a=ZZ",
		"=?":                                 "=?",
		"=?=?utf-8?Q?a?=":                    "=?a",
		"\xff":                               "\uFFFD",
	} {
		if got := DecodeText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestEncodeText(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":         "plain text",
		"":                   "",
		"blåbær":             "=?utf-8?b?YmzDpWLDpnI=?=",
		"to blå bær for you": "to =?utf-8?b?YmzDpSBiw6Zy?= for you",
		"a =?b":              "a =?utf-8?b?PT9i?=",
		"日本":                 "=?utf-8?b?5pel5pys?=",
		"a\r\nBcc: b@x.test": "=?utf-8?b?YQ0KQmNjOg==?= b@x.test",
		"a fine crème!":      "a fine =?utf-8?q?cr=C3=A8me!?=",
	} {
		if got := EncodeText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What is encoded and folded is read as it was, within the lengths of RFC 2047 2.
func TestEncodeTextRoundTrip(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("blåbær ", 40) + "end",
		strings.Repeat("日", 200),
		"ascii " + strings.Repeat("ø", 100) + " ascii again and some more of it",
		strings.Repeat("x", 2000),
		" leading", "trailing ", " ", "two  blanks", "å  ø",
	} {
		raw, err := AppendField(nil, "Subject", EncodeText(s))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
			if len(line) > wordsLine || !printable(line) {
				t.Errorf("line %q", line)
			}
		}
		if got := (Field{Name: "Subject", Raw: raw}).Text(); got != s {
			t.Errorf("%q is read as %q", s, got)
		}
	}
}

func TestParams(t *testing.T) {
	for _, c := range []struct{ in, name, want string }{
		{"a/b; x=1", "x", "1"},
		{"a/b; X=1", "x", "1"},
		{"a/b; x=1; x=2", "x", "1"},
		{`a/b; x="a\"b"`, "x", `a"b`},
		// RFC 2231 3, 4, 4.1
		{`message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"`, "url", "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"},
		{`application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A`, "title", "This is ***fun***"},
		{`application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn't it!"`, "title", "This is even more ***fun*** isn't it!"},
		{`a/b; x*=%41`, "x", "A"},
		{`a/b; x*=utf-8''%zz%4`, "x", "%zz%4"},
		{`a/b; x*foo=1; x=2`, "x", "2"},
		{`a/b; x*0=a; x*0=b; x*2=c`, "x", "ac"},
		{`text/plain; charset=us-ascii (Plain text)`, "charset", "us-ascii"},
		{`a/b; x=1 y=2`, "y", "2"},
		{`a/b; x="1" y=2`, "y", "2"},
		{`a/b; x="1" junk; y=2`, "y", "2"},
		{`a/b; x=`, "x", ""},
		{`a/b; x`, "x", ""},
		{`a/b; =1; x=2`, "x", "2"},
	} {
		mt, _ := ParseMediaType(c.in)
		if got := mt.Params.Get(c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParamsRoundTrip(t *testing.T) {
	for _, v := range []string{"a", "", "a b", `a"\b`, "blå.txt", "=?x?=", strings.Repeat("long name ", 30), strings.Repeat("日本", 60), "a'b%c*d", "x\ty"} {
		var p Params
		p.Set("filename", "old")
		p.Set("filename", v)
		text := string(p.Append([]byte("attachment")))
		raw, err := AppendField(nil, "Content-Disposition", text)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > goodLine || !ascii(line) {
				t.Errorf("line %q", line)
			}
		}
		d, defects := ParseDisposition(Field{Raw: raw}.Value())
		if got := d.Params.Get("filename"); got != v || len(defects) > 0 {
			t.Errorf("%q is written %q and read %q, %v", v, raw, got, defects)
		}
		if again := d.String(); again != text {
			t.Errorf("written again: %q, not %q", again, text)
		}
	}
}
