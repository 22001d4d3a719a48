package web

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// A Range is one range of bytes as a client asks for it (RFC 9110 section
// 14.1.2): the last byte counts too.
type Range struct {
	First int64 // below 0: the last Last bytes
	Last  int64 // below 0: to the end
}

// Ranges is the value of a Range field.
type Ranges []Range

// Append writes "bytes=0-99,200-".
func (rs Ranges) Append(b []byte) []byte {
	b = append(b, "bytes="...)
	for i, r := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		if r.First >= 0 {
			b = strconv.AppendInt(b, r.First, 10)
		}
		b = append(b, '-')
		if r.Last >= 0 {
			b = strconv.AppendInt(b, r.Last, 10)
		}
	}
	return b
}

func (rs Ranges) String() string { return string(rs.Append(nil)) }

// Errors of ParseRanges.
var (
	ErrUnit  = errors.New("http: ranges of another unit than bytes")
	ErrRange = errors.New("http: malformed range")
)

// maxRanges is how many ranges a request may ask for.
const maxRanges = 64

// ParseRanges reads the value of a Range field: ErrUnit, ErrRange. A position
// that no file reaches is the greatest int64.
func ParseRanges(s string) (Ranges, error) {
	unit, set, ok := strings.Cut(s, "=")
	switch {
	case !ok || unit == "":
		return nil, ErrRange
	case !strings.EqualFold(unit, "bytes"):
		return nil, ErrUnit
	}
	var out Ranges
	for part := range strings.SplitSeq(set, ",") {
		if part = strings.Trim(part, " \t"); part == "" {
			continue
		}
		first, last, ok := strings.Cut(part, "-")
		r := Range{-1, -1}
		if first != "" {
			r.First = position(first)
			ok = ok && r.First >= 0
		}
		if last != "" {
			r.Last = position(last)
			ok = ok && r.Last >= 0
		}
		if !ok || first == "" && last == "" || first != "" && last != "" && r.Last < r.First || len(out) == maxRanges {
			return nil, ErrRange
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, ErrRange
	}
	return out, nil
}

// position reads digits; -1: something else.
func position(s string) int64 {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return n
}

// A ContentRange says which part of a whole a message has (RFC 9110 section
// 14.4): First below 0 none, Size below 0 of unknown length.
type ContentRange struct{ First, Last, Size int64 }

// Append writes "bytes 0-99/1234", "bytes */1234" or "bytes 0-99/*".
func (c ContentRange) Append(b []byte) []byte {
	b = append(b, "bytes "...)
	if c.First < 0 {
		b = append(b, '*')
	} else {
		b = strconv.AppendInt(b, c.First, 10)
		b = append(b, '-')
		b = strconv.AppendInt(b, c.Last, 10)
	}
	b = append(b, '/')
	if c.Size < 0 {
		return append(b, '*')
	}
	return strconv.AppendInt(b, c.Size, 10)
}

func (c ContentRange) String() string { return string(c.Append(nil)) }

// ParseContentRange reads a Content-Range: ErrUnit, ErrRange.
func ParseContentRange(s string) (ContentRange, error) {
	unit, rest, ok := strings.Cut(s, " ")
	if !ok {
		return ContentRange{}, ErrRange
	}
	if !strings.EqualFold(unit, "bytes") {
		return ContentRange{}, ErrUnit
	}
	part, size, ok := strings.Cut(rest, "/")
	c := ContentRange{-1, -1, -1}
	if size != "*" {
		c.Size = position(size)
		ok = ok && c.Size >= 0
	}
	if part != "*" {
		first, last, cut := strings.Cut(part, "-")
		c.First, c.Last = position(first), position(last)
		ok = ok && cut && c.First >= 0 && c.Last >= c.First && (c.Size < 0 || c.Last < c.Size)
	} else {
		ok = ok && c.Size >= 0
	}
	if !ok {
		return ContentRange{}, ErrRange
	}
	return c, nil
}

// span is a part of a file.
type span struct{ start, length int64 }

// choice is what is made of a Range field.
type choice uint8

const (
	whole         choice = iota // as if it were not there
	partial                     // 206
	unsatisfiable               // 416
)

// choose finds the parts of a file of that size. What is malformed, of another
// unit, or asks for more than the file has (so that it could be meant to cost
// us) gets the whole file (RFC 9110 section 14.2).
func choose(value string, size int64) ([]span, choice) {
	ranges, err := ParseRanges(value)
	if err != nil {
		return nil, whole
	}
	var out []span
	total := int64(0)
	for _, r := range ranges {
		switch {
		case r.First < 0:
			r.First = max(0, size-r.Last)
			r.Last = size - 1
		case r.Last < 0 || r.Last >= size:
			r.Last = size - 1
		}
		if r.First > r.Last || r.First >= size {
			continue
		}
		out = append(out, span{r.First, r.Last - r.First + 1})
		if total += r.Last - r.First + 1; total > size {
			return nil, whole
		}
	}
	if len(out) == 0 {
		return nil, unsatisfiable
	}
	return out, partial
}

func (s span) contentRange(size int64) ContentRange {
	return ContentRange{s.start, s.start + s.length - 1, size}
}
