package message

import (
	"io"
	"strings"
	"testing"
)

// Nothing that a stranger may write takes longer than its length says. Were
// one of these quadratic in a field of a megabyte, the test would not end.
func TestFieldsTakeLinearTime(t *testing.T) {
	if underRace {
		t.Skip("no goroutines here to race, and a megabyte takes the detector long")
	}
	const size = 1 << 20
	fill := func(before, again, after string) string {
		return before + strings.Repeat(again, (size-len(before)-len(after))/len(again)) + after
	}
	for _, s := range []string{
		fill("", "a@b ", "<x@y>"),
		fill("", "a@b,", ""),
		fill("", "<a@b ", ""),
		fill("g:", "a@b,g:", ""),
		fill("", "(", ""),
		fill("", `\`, ""),
		fill("", `"`, ""),
		fill("", `"a" . `, "@b"),
		fill("a@", "b.", ""),
		fill("a@", " b", ""),
		fill("<@a", ",@b", ":c@d>"),
		fill("a/b; x=y", " (z)", " z"),
		fill("a/b; x=y", " (", " z"),
		fill("a/b", "; x*0*=y", ""),
		fill("a/b", "; x", ""),
		fill("a/b; x=y", " z", ""),
		fill("a/b; x=", `"y" z=`, ""),
		fill("", ": ", ""),
		fill("", "(x) ", "1 Jan"),
		fill("", "=?a?q?x ", ""),
		fill("", "=?a?x?", "?="),
		fill("", "=?", "?="),
		fill("", "=?a", "?="),
		fill("", "=?x-none?q?a?= ", ""),
		fill("", "=?utf-8?b?YQ==?= ", ""),
		fill("", "=?utf-8?b?*?=", ""),
		fill("", "[]", ""),
		fill("", "[x", ""),
		fill("", "re[", ""),
		fill("", "re:", ""),
		fill("", "re [a]: [b]", ""),
		fill("", "[fwd:", "") + strings.Repeat("]", size/5),
		fill("", "(fwd)", ""),
		fill("", "<", ""),
		fill("", "<a@b>", ""),
		fill("", `<"a@b`, ""),
	} {
		ParseAddresses(s)
		ParseMediaType(s)
		ParseDisposition(s)
		ParseDate(s)
		ParseMessageIDs(s)
		BaseSubject(s)
		DecodeText(s)
		encodingName(s)
		parseTokens(s)
		mt, _ := ParseMediaType("a/b; x=" + s)
		mt.Params.Get("x")
		AppendField(nil, "X", s)
	}
}

// The same of a whole message: of lines that look like delimiters, of parts
// and of headers.
func TestMessagesTakeLinearTime(t *testing.T) {
	deep := ""
	for range 60 {
		deep += "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	}
	for _, s := range []string{
		deep + strings.Repeat("--b\n", 100_000),
		deep + strings.Repeat("--\n", 300_000),
		deep + strings.Repeat("-", 1<<20),
		strings.Repeat("a:\n", 300_000),
		strings.Repeat("Subject: x\n", 100_000),
		strings.Repeat("From: a@b, c@d\n", 70_000),
		strings.Repeat("a", 1<<20),
		"a:" + strings.Repeat("\n ", 500_000),
		strings.Repeat("\r", 1<<20),
		"Content-Type: text/html\n\n" + strings.Repeat("<", 1<<20),
		"Content-Type: text/html\n\n" + strings.Repeat("<script>", 1<<17),
	} {
		root, err := Parse(strings.NewReader(s), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := root.Preview(strings.NewReader(s)); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, NewCRLFReader(strings.NewReader(s))); err != nil {
			t.Error(err)
		}
	}
}
