package transcript_test

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/conv/transcript"
)

func TestParse(t *testing.T) {
	s, err := transcript.Parse("x.txt", `# RFC 9999
   0.001 S~ 220 .*
S= 220 mail ready
1.5 C: EHLO \x00\\ \*** é
C: AUTH PLAIN ***
C:
S: no end\c

S: bare\n\c
C.
S!
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []transcript.Step{
		{Side: 'S', Act: '~', Pattern: "220 .*", Bytes: []byte("220 mail ready\r\n"), Line: 2},
		{Side: 'C', Act: ':', Bytes: []byte("EHLO \x00\\ *** é\r\n"), Line: 4},
		{Side: 'C', Act: ':', Bytes: []byte("AUTH PLAIN "), Masked: true, Line: 5},
		{Side: 'C', Act: ':', Bytes: []byte("\r\n"), Line: 6},
		{Side: 'S', Act: ':', Bytes: []byte("no end"), Line: 7},
		{Side: 'S', Act: ':', Bytes: []byte("bare\n"), Line: 9},
		{Side: 'C', Act: '.', Line: 10},
		{Side: 'S', Act: '!', Line: 11},
	}
	if len(s.Steps) != len(want) {
		t.Fatalf("%d steps, want %d", len(s.Steps), len(want))
	}
	for i, w := range want {
		g := s.Steps[i]
		if g.Side != w.Side || g.Act != w.Act || g.Pattern != w.Pattern || string(g.Bytes) != string(w.Bytes) || g.Masked != w.Masked || g.Line != w.Line {
			t.Errorf("step %d: %+v, want %+v", i, g, w)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"hello":             "a line begins with",
		"X: hello":          "a line begins with",
		"C":                 "a line begins with",
		"C? hello":          "is not known",
		"C:hello":           "a blank follows",
		"C. hello":          "nothing follows",
		"1x C: hello":       "nor a time",
		`C: \q`:             "is no escape",
		`C: \`:              "is no escape",
		`C: \xg0`:           "hexadecimal",
		`C: \x1`:            "is no escape",
		"C: *** x":          "hides the rest",
		"C: ****":           "hides the rest",
		"S~ (":              "missing closing",
		"S= 220 x":          "stands under",
		"C~ x\nS= x":        "stands under",
		"S~ 220 .*\nS= 250": "does not fit",
		"S~ x\nS= x\nS= x":  "stands under",
		"C: ok\n\nC?":       "x.txt:3",
	} {
		if s, err := transcript.Parse("x.txt", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", text, s, err, want)
		}
	}
}

func TestFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"talk/b.txt": {Data: []byte("C: b\n")},
		"talk/a.txt": {Data: []byte("C: a\n")},
		"bad/x.txt":  {Data: []byte("?\n")},
	}
	got, err := transcript.Files(fsys, "talk/*.txt")
	if err != nil || len(got) != 2 || got[0].Name != "talk/a.txt" || got[1].Name != "talk/b.txt" {
		t.Fatal(got, err)
	}
	if _, err := transcript.Files(fsys, "none/*"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := transcript.Files(fsys, "bad/*"); err == nil {
		t.Fatal("a bad file was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"S~ 220 .*\nS= 220 x\nC: QUIT\nS: 221 bye\nS.\n", "1.5 C: \\x00\\\\\\***\nC: AUTH ***\nC!\n", "C: no end\\c\nC: bare\\n\\c\nC:\nC:  \n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := transcript.Parse("x", text)
		if err != nil {
			return
		}
		again, err := transcript.Parse("x", s.String())
		if err != nil {
			t.Fatalf("%q is written %q, which is refused: %v", text, s, err)
		}
		if len(again.Steps) != len(s.Steps) {
			t.Fatalf("%q is written %q", text, s)
		}
		for i := range s.Steps {
			a, b := s.Steps[i], again.Steps[i]
			if a.Side != b.Side || a.Act != b.Act || a.Pattern != b.Pattern || a.Masked != b.Masked || !reflect.DeepEqual(a.Bytes, b.Bytes) {
				t.Fatalf("%q is written %q: step %d was %+v, is %+v", text, s, i, a, b)
			}
		}
	})
}
