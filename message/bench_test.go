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

// BenchmarkParseDelivery is what a server does with a message of 4 KiB that comes
// in: read the structure, and write it down.
func BenchmarkParseDelivery(b *testing.B) {
	text := "Return-Path: <a@x.test>\r\nReceived: from client.test ([127.0.0.1])\r\n\tby mx.test with ESMTP id 1a2b3c.4d\r\n" +
		"\tfor <bob@peers.test>; Sat, 21 Nov 2026 16:07:01 +0000\r\nFrom: <a@x.test>\r\nTo: <bob@peers.test>\r\n" +
		"Date: Sat, 21 Nov 2026 16:07:01 +0000 (UTC)\r\nMessage-Id: <14d2.0003.0000@client.test>\r\n\r\n"
	text += strings.Repeat(strings.Repeat("X", 78)+"\r\n", (4096-len(text))/80)
	b.Run("stream", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			root, err := Parse(strings.NewReader(text), Limits{})
			if err != nil {
				b.Fatal(err)
			}
			root.Append(nil)
		}
	})
	b.Run("memory", func(b *testing.B) {
		b.ReportAllocs()
		octets := []byte(text)
		for b.Loop() {
			ParseBytes(octets, Limits{}).Append(nil)
		}
	})
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
