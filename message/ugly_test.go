package message

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// describe writes a message as the .want files have it.
func (p *Part) dump(t *testing.T, b *strings.Builder, text []byte, indent string) {
	t.Helper()
	ra := bytes.NewReader(text)
	if p.Envelope != nil {
		h, err := p.ReadHeader(ra, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := h.Lookup("Subject"); ok {
			fmt.Fprintf(b, "%ssubject: %s\n", indent, h.Subject())
		}
		if from := h.Addresses("From"); len(from) > 0 {
			fmt.Fprintf(b, "%sfrom: %s\n", indent, shape(from))
		}
		if date, err := h.Date(); err == nil {
			fmt.Fprintf(b, "%sdate: %s\n", indent, date.Format(time.RFC3339))
		}
	}
	fmt.Fprintf(b, "%s- %s/%s", indent, p.Type.Type, p.Type.Subtype)
	if p.Encoding != "7bit" {
		fmt.Fprintf(b, " %s", p.Encoding)
	}
	if name := p.Filename(); name != "" {
		fmt.Fprintf(b, " name=%q", name)
	}
	var coding []DefectKind
	if len(p.Parts) == 0 {
		coding = p.dumpBody(t, b, ra, text)
	}
	for i, d := range p.Defects {
		fmt.Fprintf(b, "%s %s", []string{" !", ","}[min(i, 1)], d.Kind)
	}
	for i, d := range coding {
		fmt.Fprintf(b, "%s %s", []string{" !!", ","}[min(i, 1)], d)
	}
	b.WriteByte('\n')
	for i := range p.Parts {
		p.Parts[i].dump(t, b, text, indent+"  ")
	}
}

func (p *Part) dumpBody(t *testing.T, b *strings.Builder, ra io.ReaderAt, text []byte) []DefectKind {
	t.Helper()
	raw := text[p.Body:p.End]
	fmt.Fprintf(b, " %s", short(string(raw)))
	d := p.Decode(ra)
	decoded, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	if !identity(p.Encoding) {
		fmt.Fprintf(b, " = %s", short(string(decoded)))
	}
	if p.Type.Type == "text" && !ascii(decoded) {
		utf, err := io.ReadAll(p.Text(ra))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(b, " -> %s", short(string(utf)))
	}
	return d.Defects()
}

func short(s string) string {
	if len(s) <= 70 {
		return fmt.Sprintf("%q", s)
	}
	q := fmt.Sprintf("%q", s[:70])
	return q[:len(q)-1] + `..."`
}

func uglyFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/ugly/*.eml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// Each file is one way in which real mail is ugly; its .want file says why it
// is read as it is.
func TestUglyMessages(t *testing.T) {
	for _, name := range uglyFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".eml"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			golden, err := os.ReadFile(strings.TrimSuffix(name, "eml") + "want")
			if err != nil {
				t.Fatal(err)
			}
			want := string(golden)
			for strings.HasPrefix(want, "#") {
				_, want, _ = strings.Cut(want, "\n")
			}
			root, err := Parse(bytes.NewReader(text), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			root.dump(t, &b, text, "")
			if b.String() != want {
				t.Errorf("got\n%swant\n%s", b.String(), want)
			}
			checkTree(t, root, int64(len(text)))
			again, err := ParsePart(root.Append(nil))
			if err != nil || !reflect.DeepEqual(again, root) {
				t.Errorf("out of the cache: %v\n%+v\n%+v", err, again, root)
			}
		})
	}
}

// checkTree holds a tree to what is true of every message.
func checkTree(t *testing.T, p *Part, end int64) {
	t.Helper()
	if p.Header < 0 || p.Header > p.Body || p.Body > p.End || p.End > end || p.Lines < 0 || p.Lines > p.Size() {
		t.Errorf("offsets %d %d %d within %d, %d lines", p.Header, p.Body, p.End, end, p.Lines)
	}
	at := p.Body
	for i := range p.Parts {
		q := &p.Parts[i]
		if q.Header < at {
			t.Errorf("part at %d begins before %d", q.Header, at)
		}
		checkTree(t, q, p.End)
		at = q.End
	}
}
