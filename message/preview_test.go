package message

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPreview(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "\nHello,\n\n  world.\n", "Hello, world."},
		{"empty", "\n \t\n", ""},
		{"encoded", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nbl=E5=\nb=E6r\n", "blåbær"},
		{"html", "Content-Type: text/html\n\n<html><head><title>No</title><style>p > b {}</style></head><body a='>'><p>One &lt;b&gt;</p>t<b>w</b>o<br>a < b<!-- no > -- --><script>if (a<b) x()</script> end", "One <b> two a < b end"},
		{"html without body", "Content-Type: text/html\n\n<b>x", "x"},
		{"html not closed", "Content-Type: text/html\n\nx <b", "x"},
		{"blank plain before html", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>rich\n--b--\n", "rich"},
		{"attachment", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\nfile\n--b\n\ntext\n--b--\n", "text"},
		{"no text", "Content-Type: image/png\n\nx", ""},
		{"long", "\n" + strings.Repeat("å", 300), strings.Repeat("å", 200)},
		{"long words", "\n" + strings.Repeat("abc ", 100), strings.TrimSpace(strings.Repeat("abc ", 50))},
		{"fillers", "Content-Type: text/html; charset=utf-8\n\nx\u200c&nbsp;\u200c&zwnj;&#847;y", "x \u034fy"},
	} {
		text := crlf(c.text)
		root := parse(t, text)
		got, err := root.Preview(strings.NewReader(text))
		if got != c.want || err != nil || utf8.RuneCountInString(got) > PreviewLength {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

type brokenAt struct{ err error }

func (b brokenAt) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func TestReadersErrorsAreGiven(t *testing.T) {
	broken := errors.New("unplugged")
	ra := brokenAt{broken}
	for _, text := range []string{"A: b\n\nx", "Content-Type: text/html\n\nx"} {
		root := parse(t, crlf(text))
		if _, err := root.Preview(ra); !errors.Is(err, broken) {
			t.Errorf("Preview: %v", err)
		}
		if _, err := root.ReadHeader(ra, Limits{}); !errors.Is(err, broken) {
			t.Errorf("ReadHeader: %v", err)
		}
		if _, err := io.ReadAll(root.Text(ra)); !errors.Is(err, broken) {
			t.Errorf("Text: %v", err)
		}
		if _, err := root.ReadHeader(strings.NewReader("A"), Limits{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("short: %v", err)
		}
	}
}
