package nntp

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
)

// ErrCommand is a line that is no command, or an argument that is none of its
// kind.
var ErrCommand = errors.New("nntp: malformed command")

// A Command is a request (RFC 3977 section 3.1): a keyword in upper case and,
// after blanks, everything else of the line as it stands, for a password may
// have blanks in it.
type Command struct{ Verb, Arg string }

// Append writes the command as a line without its end, for wire.Writer.Line,
// which refuses one with a line break inside.
func (c Command) Append(b []byte) []byte {
	b = append(b, c.Verb...)
	if c.Arg == "" {
		return b
	}
	return append(append(b, ' '), c.Arg...)
}

// String is the command as a person reads it.
func (c Command) String() string { return string(c.Append(nil)) }

// ParseCommand takes a line, without its end, apart. ErrCommand: the keyword is
// none, or there is a NUL.
func ParseCommand(line []byte) (Command, error) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		i = len(line)
	}
	if !isKeyword(line[:i]) || bytes.IndexByte(line, 0) >= 0 {
		return Command{}, ErrCommand
	}
	return Command{strings.ToUpper(string(line[:i])), string(bytes.TrimLeft(line[i:], " \t"))}, nil
}

// isKeyword tells what a command or a capability may be called.
func isKeyword(word []byte) bool {
	if len(word) < 3 || !isLetter(word[0]) {
		return false
	}
	for _, c := range word {
		if !isLetter(c) && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// maxNumber is how large an article's number may be (RFC 3977 section 6 has
// 2,147,483,647; section 9.8 has 16 digits).
const maxNumber = 9_999_999_999_999_999

// parseNumber reads an article's number; it is 0 or more.
func parseNumber(text string) (int64, error) {
	if len(text) == 0 || len(text) > 16 {
		return 0, ErrCommand
	}
	n := int64(0)
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, ErrCommand
		}
		n = 10*n + int64(text[i]-'0')
	}
	return n, nil
}

// A Range is numbers of articles, both inclusive. Last below 0 is without end;
// one below First is no number at all.
type Range struct{ First, Last int64 }

// One is the range of one number.
func One(number int64) Range { return Range{number, number} }

// From is a number and all behind it.
func From(number int64) Range { return Range{number, -1} }

// End is the last number: that of a Range without end is larger than any
// article's.
func (r Range) End() int64 {
	if r.Last < 0 {
		return maxNumber
	}
	return r.Last
}

// Has tells whether a number is in the range.
func (r Range) Has(number int64) bool { return r.First <= number && number <= r.End() }

// Append writes the range as a command has it (RFC 3977 section 9.2).
func (r Range) Append(b []byte) []byte {
	b = strconv.AppendInt(b, max(r.First, 0), 10)
	if r.Last == r.First {
		return b
	}
	b = append(b, '-')
	if r.Last < 0 {
		return b
	}
	return strconv.AppendInt(b, r.Last, 10)
}

// String is the range as a command has it.
func (r Range) String() string { return string(r.Append(nil)) }

// ParseRange reads 3, 3- or 3-7. ErrCommand: it is none of these.
func ParseRange(text string) (Range, error) {
	first, last, more := strings.Cut(text, "-")
	var r Range
	var err error
	if r.First, err = parseNumber(first); err != nil {
		return Range{}, err
	}
	switch {
	case !more:
		r.Last = r.First
	case last == "":
		r.Last = -1
	default:
		r.Last, err = parseNumber(last)
	}
	if err != nil {
		return Range{}, err
	}
	return r, nil
}

// isID tells a message identifier from a number.
func isID(text string) bool { return message.ValidMessageID(text) }

// appendTime writes a time as NEWGROUPS and NEWNEWS have it (RFC 3977 section
// 7.3.2).
func appendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, "20060102 150405 GMT") }

// parseTime reads the words of a time: yyyymmdd or yymmdd, hhmmss, and GMT or
// not. A year of two digits is that of the century which makes it no later than
// now's (RFC 3977 section 7.3.2). Without GMT it is our own zone's.
func parseTime(words []string, now time.Time) (time.Time, error) {
	zone := time.Local
	if len(words) == 3 && strings.EqualFold(words[2], "GMT") {
		zone, words = time.UTC, words[:2]
	}
	if len(words) != 2 {
		return time.Time{}, ErrCommand
	}
	date := words[0]
	if len(date) == 6 {
		year, err := strconv.ParseUint(date[:2], 10, 8)
		if err != nil {
			return time.Time{}, ErrCommand
		}
		century := now.Year() / 100
		if int(year) > now.Year()%100 {
			century--
		}
		date = strconv.Itoa(century) + date
	}
	if strings.ContainsAny(date+words[1], "+-.,") {
		return time.Time{}, ErrCommand
	}
	// Leap seconds are taken, as section 7.3.2 has it.
	clock := words[1]
	leap := time.Duration(0)
	if len(clock) == 6 && clock[4:] == "60" {
		clock, leap = clock[:4]+"59", time.Second
	}
	t, err := time.ParseInLocation("20060102 150405", date+" "+clock, zone)
	if err != nil {
		return time.Time{}, ErrCommand
	}
	return t.Add(leap), nil
}
