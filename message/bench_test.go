package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

// letterOf makes a message with an attachment of that many octets.
func letterOf(b *testing.B, size int) []byte {
	b.Helper()
	m := Builder{From: []Address{ann}, To: []Address{ann, ann, ann}, Subject: "blåbær", Text: strings.Repeat("some text, some lines\n", 20), HTML: "<p>å"}
	if size > 0 {
		m.Attachments = []Attachment{{Name: "a.bin", Content: bytes.NewReader(make([]byte, size))}}
	}
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"small", 0}, {"10MiB", 10 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			text := letterOf(b, c.size)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(bytes.NewReader(text), Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCache(b *testing.B) {
	root, err := Parse(bytes.NewReader(letterOf(b, 1)), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	cached := root.Append(nil)
	b.ReportMetric(float64(len(cached)), "octets")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePart(cached); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"base64", strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 57))+"\r\n", 20_000)},
		{"quoted-printable", strings.Repeat("Some text with bl=C3=A5b=C3=A6r in it, and then more of=\r\n it.\r\n", 20_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				if _, err := io.Copy(io.Discard, NewDecoder(strings.NewReader(c.text), c.name)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
