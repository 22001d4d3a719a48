package imap

import (
	"strings"
	"time"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

const (
	dateForm = "_2-Jan-2006 15:04:05 -0700"
	dayForm  = "2-Jan-2006"
)

// AppendTime writes a date-time in its quotes, in t's own zone.
func AppendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), dateForm), '"')
}

// ParseTime reads a date-time without its quotes: INTERNALDATE's form. The
// error is ErrSyntax.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(dateForm, text)
	if err != nil { // "_2" wants a space where there is one digit only; not everybody writes it
		t, err = time.Parse("2-Jan-2006 15:04:05 -0700", strings.TrimSpace(text))
	}
	if err != nil || t.Year() < 1 {
		return time.Time{}, ErrSyntax
	}
	return t, nil
}

func lexTime(l *token.Lexer) time.Time {
	t, err := ParseTime(l.String())
	if err != nil {
		l.Fail("a date and time")
	}
	return t
}

// lexDay reads the date of a search, which is a day without a zone.
func lexDay(l *token.Lexer) time.Time {
	t, err := time.Parse(dayForm, l.AString())
	if err != nil {
		l.Fail("a date")
	}
	return t
}

func appendDay(b []byte, t time.Time) []byte { return t.AppendFormat(b, dayForm) }
