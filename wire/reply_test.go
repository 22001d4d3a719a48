package wire_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/wire"
)

func TestReply(t *testing.T) {
	for in, want := range map[string]wire.Reply{
		"220 ready\r\n":               {Code: 220, Lines: []string{"ready"}},
		"250\r\n":                     {Code: 250, Lines: []string{""}},
		"250 \r\n":                    {Code: 250, Lines: []string{""}},
		"250-a\r\n250-b\r\n250 c\r\n": {Code: 250, Lines: []string{"a", "b", "c"}},
		"250-a\r\n250\r\n":            {Code: 250, Lines: []string{"a", ""}},
		"211-Features\r\n UTF8\r\n123\r\n211 End\r\n": {Code: 211, Lines: []string{"Features", " UTF8", "123", "End"}}, // RFC 959
		"211-a\r\n212 not the end\r\n211 b\r\n":       {Code: 211, Lines: []string{"a", "212 not the end", "b"}},
		"211-a\r\n\r\n211 b\r\n":                      {Code: 211, Lines: []string{"a", "", "b"}},
		"599 last\r\n":                                {Code: 599, Lines: []string{"last"}},
	} {
		cuts(in, func(parts ...string) {
			got, err := reader(0, parts...).Reply()
			if err != nil || got.Code != want.Code || !slices.Equal(got.Lines, want.Lines) {
				t.Fatalf("%q: %+v, %v, want %+v", parts, got, err, want)
			}
		})
	}
}

func TestReplyRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                        io.EOF,
		"22":                      io.ErrUnexpectedEOF,
		"22\r\n":                  wire.ErrReply,
		"abc hello\r\n":           wire.ErrReply,
		"099 low\r\n":             wire.ErrReply,
		"600 high\r\n":            wire.ErrReply,
		"220_x\r\n":               wire.ErrReply,
		"2200\r\n":                wire.ErrReply,
		"\r\n":                    wire.ErrReply,
		"220 ready\n":             wire.ErrBareLF,
		"250-a\r\n":               io.EOF,
		"250-a\r\n250":            io.ErrUnexpectedEOF,
		"250-a\r\n250 b\r250 c\n": wire.ErrBareLF,
		"250-" + strings.Repeat("x", wire.DefaultLine) + "\r\n": wire.ErrLineTooLong,
	} {
		if r, err := reader(0, in).Reply(); !errors.Is(err, want) {
			t.Errorf("%.40q: %+v, %v, want %v", in, r, err, want)
		}
	}
}

// TestReplyWithoutEnd is a server that never comes to the point.
func TestReplyWithoutEnd(t *testing.T) {
	r := reader(0, strings.Repeat("250-more\r\n", wire.MaxReplyLines+10))
	got, err := r.Reply()
	if !errors.Is(err, wire.ErrReplyTooLong) || len(got.Lines) != wire.MaxReplyLines {
		t.Fatalf("%d lines, %v", len(got.Lines), err)
	}
}

func TestReplyText(t *testing.T) {
	r := wire.Reply{Code: 250, Lines: []string{"a", "b"}}
	if r.Text() != "a\nb" || r.String() != "250 a\nb" || fmt.Sprint(r) != r.String() {
		t.Errorf("%q, %q", r.Text(), r)
	}
	if got := string(wire.Reply{Code: 250}.Append(nil)); got != "250 \r\n" {
		t.Errorf("%q", got)
	}
	forged := wire.Reply{Code: 550, Lines: []string{"no\r\n250 yes", "x\ny"}}
	if got := string(forged.Append([]byte("before "))); got != "before 550-no  250 yes\r\n550 x y\r\n" {
		t.Errorf("%q", got)
	}
}
