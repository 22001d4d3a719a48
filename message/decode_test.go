package message

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
)

// decodeAll decodes whole and octet by octet, which must be the same.
func decodeAll(t *testing.T, encoding, in string) (string, string) {
	t.Helper()
	var out, defects [2]string
	for i, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
		d := NewDecoder(r, encoding)
		b, err := io.ReadAll(d)
		if err != nil {
			t.Fatalf("%s %q: %v", encoding, in, err)
		}
		out[i], defects[i] = string(b), fmt.Sprint(d.Defects())
	}
	if out[0] != out[1] || defects[0] != defects[1] {
		t.Errorf("%s %q: %q %s whole, %q %s by octets", encoding, in, out[0], defects[0], out[1], defects[1])
	}
	return out[0], defects[0]
}

func TestDecoder(t *testing.T) {
	for _, c := range []struct{ encoding, in, want, defects string }{
		{"7bit", "a=\r\n", "a=\r\n", "[]"},
		{"base64", "", "", "[]"},
		{"base64", "SGVsbG8=", "Hello", "[]"},
		{"base64", "SG\r\nVs\r\nbG8=\r\n", "Hello", "[]"},
		{"base64", "SGVsbA", "Hell", "[invalid base64 padding]"},
		{"base64", "SGVsbA=", "Hell", "[invalid base64 padding]"},
		{"base64", "SGVsbA===", "Hell", "[]"},
		{"base64", "SGVsbG8", "Hello", "[invalid base64 padding]"},
		{"base64", "=SGVs", "Hel", "[invalid base64 padding]"},
		{"base64", "SG=VsbG8=", "Hello", "[invalid base64 padding]"},
		{"base64", "SGVsbG8=SGVs", "Hello", "[invalid base64 characters]"},
		{"base64", "Q", "", "[invalid base64 length]"},
		// RFC 2045 6.7
		{"quoted-printable", "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.", "Now's the time for all folk to come to the aid of their country.", "[]"},
		{"quoted-printable", "a=3D=3d", "a==", "[]"},
		{"quoted-printable", "a \t\r\nb  ", "a\r\nb", "[]"},
		{"quoted-printable", "a=  \r\nb", "ab", "[]"},
		{"quoted-printable", "a=\nb\n", "ab\n", "[]"},
		{"quoted-printable", "a=\rb", "a=\rb", "[invalid quoted-printable]"},
		{"quoted-printable", "a\rb\r\r\nc", "a\rb\r\r\nc", "[]"},
		{"quoted-printable", "a =3Db", "a =b", "[]"},
		{"quoted-printable", "a==3D", "a==", "[invalid quoted-printable]"},
		{"quoted-printable", "=4", "=4", "[invalid quoted-printable]"},
		{"quoted-printable", "=4G", "=4G", "[invalid quoted-printable]"},
		{"quoted-printable", "= x", "= x", "[invalid quoted-printable]"},
		{"quoted-printable", "a=", "a", "[]"},
		{"quoted-printable", "å", "å", "[]"},
		{"x-uuencode", "begin 644 f\n#0V%T\n`\nend\n", "Cat", "[]"},
		{"x-uuencode", "begin 644 f\r\n#0V%T\r\n \r\nend", "Cat", "[]"},
		{"x-uuencode", "begin 644 f\n#0V%T\n", "Cat", "[invalid uuencode]"},
		{"x-uuencode", "no such thing\n", "", "[invalid uuencode]"},
		{"x-what", "as it is", "as it is", "[unknown content transfer encoding]"},
	} {
		if got, defects := decodeAll(t, c.encoding, c.in); got != c.want || defects != c.defects {
			t.Errorf("%s %q: %q %s, want %q %s", c.encoding, c.in, got, defects, c.want, c.defects)
		}
	}
}

func TestEncoderRoundTrip(t *testing.T) {
	binary := make([]byte, 1000)
	for i := range binary {
		binary[i] = byte(i * 7)
	}
	for _, n := range []int{0, 1, 2, 3, 56, 57, 58, 114, 115, 1000} {
		for _, encoding := range []string{"base64", "8bit"} {
			var b bytes.Buffer
			w := NewEncoder(&b, encoding)
			if _, err := io.Copy(w, iotest.OneByteReader(bytes.NewReader(binary[:n]))); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got, defects := decodeAll(t, encoding, b.String()); got != string(binary[:n]) || defects != "[]" {
				t.Errorf("%s of %d: %s", encoding, n, defects)
			}
			if encoding == "base64" {
				checkBase64Lines(t, b.String(), binary[:n])
			}
		}
	}
	var b bytes.Buffer
	w := NewEncoder(&b, "quoted-printable")
	io.WriteString(w, "blå = bær \nlong "+strings.Repeat("x", 100)+"\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	std, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(b.Bytes())))
	if got, _ := decodeAll(t, "quoted-printable", b.String()); got != string(std) || err != nil || !strings.HasPrefix(got, "blå = bær \r\n") {
		t.Errorf("%q, the standard library reads %q, %v", got, std, err)
	}
}

// checkBase64Lines lets the standard library be the judge.
func checkBase64Lines(t *testing.T, text string, want []byte) {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\r\n") {
		t.Errorf("no line end: %q", text)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 76 || len(want) > 0 && line == "" {
			t.Errorf("line %q", line)
		}
	}
	got, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\r\n", ""))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q: %v", text, err)
	}
}

func TestDecoderGivesTheReadersError(t *testing.T) {
	broken := errors.New("unplugged")
	for _, encoding := range []string{"7bit", "base64", "quoted-printable", "x-uuencode"} {
		d := NewDecoder(io.MultiReader(strings.NewReader("SGVs"), iotest.ErrReader(broken)), encoding)
		if _, err := io.ReadAll(d); !errors.Is(err, broken) {
			t.Errorf("%s: %v", encoding, err)
		}
	}
}

func TestCRLFReader(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"a":                 "a",
		"a\nb\n":            "a\r\nb\r\n",
		"a\r\nb\r\n":        "a\r\nb\r\n",
		"a\rb\r":            "a\r\nb\r\n",
		"a\r\r\nb":          "a\r\nb",
		"a\r\rb":            "a\r\n\r\nb",
		"\n\n":              "\r\n\r\n",
		"a\n\r\nb\r\n\nc\r": "a\r\n\r\nb\r\n\r\nc\r\n",
	} {
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			got, err := io.ReadAll(NewCRLFReader(r))
			if string(got) != want || err != nil {
				t.Errorf("%q: %q, %v, want %q", in, got, err, want)
			}
		}
	}
	broken := errors.New("unplugged")
	if _, err := io.ReadAll(NewCRLFReader(iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Error(err)
	}
	many := strings.Repeat("\r", 100_000)
	if got, err := io.ReadAll(NewCRLFReader(strings.NewReader(many))); len(got) != 200_000 || err != nil {
		t.Errorf("%d octets, %v", len(got), err)
	}
}
