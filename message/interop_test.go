//go:build interop

package message

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
)

// view is what testdata/read_email.py says of a message, and what we say.
type view struct {
	Tree, Subject string
	Leaves        any
	From          any
	Filenames     any
	Date          float64
}

func (v view) field(name string) string {
	return fmt.Sprintf("%q", map[string]any{"tree": v.Tree, "subject": v.Subject, "leaves": v.Leaves, "from": v.From, "filenames": v.Filenames, "date": v.Date}[name])
}

func python(t *testing.T, files []string) []view {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), foreign.Python(t, 3, "email"), append([]string{"testdata/read_email.py"}, files...)...).Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	var views []view
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var v view
		if err := dec.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		views = append(views, v)
	}
	if len(views) != len(files) {
		t.Fatalf("%d answers for %d files", len(views), len(files))
	}
	return views
}

func ours(t *testing.T, text []byte) view {
	t.Helper()
	root, err := Parse(bytes.NewReader(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ra := bytes.NewReader(text)
	h, err := root.ReadHeader(ra, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	v := view{Tree: typesOf(root), Subject: h.Subject()}
	leaves, names, from := []any{}, []any{}, []any{}
	for p := range root.Walk {
		if len(p.Parts) == 0 {
			b, err := io.ReadAll(p.Decode(ra))
			if err != nil {
				t.Fatal(err)
			}
			var latin strings.Builder
			for _, c := range b {
				latin.WriteRune(rune(c))
			}
			leaves = append(leaves, latin.String())
		}
		if name := p.Filename(); name != "" {
			names = append(names, name)
		}
	}
	for _, a := range h.Addresses("From") {
		from = append(from, []any{a.Name, a.Local, a.Domain})
	}
	v.Leaves, v.Filenames, v.From = leaves, names, from
	if date, err := h.Date(); err == nil {
		v.Date = float64(date.Unix())
	}
	return v
}

func typesOf(p *Part) string {
	s := p.Type.Type + "/" + p.Type.Subtype
	if len(p.Parts) == 0 {
		return s
	}
	var in []string
	for i := range p.Parts {
		in = append(in, typesOf(&p.Parts[i]))
	}
	return s + "(" + strings.Join(in, " ") + ")"
}

// differ says where we and Python's email package (3.11) read a message
// differently, and why.
var differ = map[string]map[string]string{
	"apple-double":            {"filenames": "of a name given raw and by RFC 2231 we take the latter, as RFC 6266 4.3 advises; Python takes the first"},
	"bare-cr":                 {"leaves": "a CR alone ends no line for us", "subject": "a CR alone ends no line for us"},
	"base64-one-too-many":     {"leaves": "Python decodes nothing; we drop the one character"},
	"content-type-odd-syntax": {"tree": "Python takes a blank for part of the subtype"},
	"delivery-status":         {"tree": "Python opens message/delivery-status; IMAP knows no parts of it", "leaves": "so"},
	"filename-raw":            {"filenames": "RFC 2045 has neither; we give what was meant, and a backslash before a letter is one"},
	"from-two-at":             {"from": "Python gives no name to an address in front of another"},
	"message-in-base64":       {"tree": "Python opens it without decoding, and finds an empty message", "leaves": "so"},
	"no-close-delimiter":      {"leaves": "Python takes the last line end for a delimiter's that never came"},
	"nul":                     {"subject": "a control character in text is a blank for us"},
	"only-close-delimiter":    {"leaves": "Python takes what is before the delimiter for the body; we give all of it"},
	"parts-without-header":    {"tree": "Python skips a part of which there is nothing between two delimiters", "leaves": "so"},
	"quote-not-closed":        {"tree": "Python takes the quote for part of the boundary", "leaves": "so"},
	"quoted-printable-odd":    {"leaves": "RFC 2045 6.7 (3): white space at a line's end must go; Python's binascii keeps it"},
	"same-boundary-twice":     {"tree": "Python gives the delimiters to the outer multipart", "leaves": "so"},
	"space-before-colon":      {"subject": "RFC 5322 4.5.8: must be read; Python takes it for the body", "from": "so", "leaves": "so"},
	"subject-smuggles-break":  {"subject": "a line break in text is blanks for us"},
	"subject-utf8":            {"from": "RFC 6532; Python gives surrogates"},
	"subject-words-broken":    {"subject": "we leave a word of an unknown charset as it stands; Python decodes it as ASCII"},
	"subject-words-odd":       {"subject": "Python wants blanks around an encoded word, and none inside"},
	"unix-from-inside":        {"subject": "Python takes the quoted From_ line for the body", "leaves": "so"},
	"unix-from-quoted":        {"subject": "Python takes the quoted From_ line for the body", "from": "so", "leaves": "so"},
}

func TestUglyMessagesBesidePython(t *testing.T) {
	files := uglyFiles(t)
	for i, theirs := range python(t, files) {
		name := strings.TrimSuffix(filepath.Base(files[i]), ".eml")
		text, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		we := ours(t, text)
		for _, field := range []string{"tree", "leaves", "subject", "from", "filenames", "date"} {
			if got, want := we.field(field), theirs.field(field); got != want && differ[name][field] == "" {
				t.Errorf("%s: %s is %s, Python has %s", name, field, got, want)
			}
		}
	}
}

// What we write, Python reads as it was meant.
func TestPythonReadsWhatWeWrite(t *testing.T) {
	m := Builder{
		From:    []Address{{Name: "Ann, Å", Local: "ann", Domain: "x.test"}},
		Subject: strings.Repeat("blåbær 日本 ", 12) + "end",
		Date:    time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC),
		Text:    "Hei,\nblåbær\n.\n",
		HTML:    "<p>blåbær</p>",
		Attachments: []Attachment{
			{Name: "blå bær " + strings.Repeat("lang ", 20) + ".bin", Content: strings.NewReader("\x00\xff\r\n\n")},
			{Name: "a.eml", Type: "message/rfc822", Content: strings.NewReader("Subject: in\n\nside\n")},
		},
	}
	name := filepath.Join(t.TempDir(), "m.eml")
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs := python(t, []string{name})[0]
	want := view{
		Tree:      "multipart/mixed(multipart/alternative(text/plain text/html) application/octet-stream message/rfc822(text/plain))",
		Subject:   m.Subject,
		Leaves:    []any{"Hei,\r\nbl\u00c3\u00a5b\u00c3\u00a6r\r\n.\r\n", "<p>bl\u00c3\u00a5b\u00c3\u00a6r</p>\r\n", "\x00\u00ff\r\n\n", "side\r\n"},
		From:      []any{[]any{"Ann, Å", "ann", "x.test"}},
		Filenames: []any{m.Attachments[0].Name, "a.eml"},
		Date:      float64(m.Date.Unix()),
	}
	for _, field := range []string{"tree", "leaves", "subject", "from", "filenames", "date"} {
		if got, want := theirs.field(field), want.field(field); got != want {
			t.Errorf("Python reads %s as %s, want %s", field, got, want)
		}
	}
}
