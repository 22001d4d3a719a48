package faults

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Deed is what a fault does.
type Deed string

// The deeds. Those of streams act from the byte at which they fire; those of
// datagrams on one datagram.
const (
	Slice     Deed = "slice"      // everything passes in pieces of Size bytes (0: 1)
	Delay     Deed = "delay"      // every read and write is late by Delay, give or take Jitter
	Throttle  Deed = "throttle"   // no more than Rate bytes a second pass
	Garble    Deed = "garble"     // one bit of the next byte is wrong
	Stall     Deed = "stall"      // nothing passes any more, or not for Delay
	Truncate  Deed = "truncate"   // the stream ends there, and the sender is not told
	HalfClose Deed = "half-close" // our half ends (FIN): we can only read
	Cut       Deed = "cut"        // both halves end: we read the end of the stream and cannot write
	Close     Deed = "close"      // the connection is closed by our side, in good order (FIN)
	Reset     Deed = "reset"      // the connection is reset (RST): both sides get ECONNRESET
	Lose      Deed = "lose"       // the datagram never arrives
	Duplicate Deed = "duplicate"  // the datagram arrives twice
	Reorder   Deed = "reorder"    // the datagram arrives behind the next one
)

// Dir is a direction, as the end sees it that has the layer.
type Dir uint8

// The directions. Both is the zero value.
const (
	Both Dir = iota
	In       // what we read
	Out      // what we write
)

// String is the direction's name.
func (d Dir) String() string { return [...]string{"both", "in", "out"}[d] }

// takes tells whether a rule for d concerns the direction that is at hand.
func (d Dir) takes(at Dir) bool { return d == Both || d == at }

// A Rule is one fault. The zero values of all fields but Do (or Reply) mean
// always, at once, everywhere.
type Rule struct {
	Service string // whose connections, in lower case; Layer ignores it
	Verb    string // in upper case; "": armed when the connection begins

	Dir   Dir     // which bytes count and are acted on
	After int64   // bytes that pass before it fires, counted from arming
	Do    Deed    // what happens
	N     int     // only the N-th time that it would be armed, over all connections of the service; 0: each
	Times int     // how often it fires at all; 0: every time
	P     float64 // how likely it is armed, above 0 and up to 1; 0: certain
	Seed  uint64  // for P, Jitter and Garble; the same seed does the same again

	Delay  time.Duration
	Jitter time.Duration
	Rate   int64 // bytes a second
	Size   int64 // bytes of a slice

	Reply string // an answer that the session gives instead of its own; then there is no Do
}

// String is the rule as Parse takes it.
func (r Rule) String() string {
	b := []byte(r.Service)
	if r.Verb != "" {
		b = append(append(b, ' '), r.Verb...)
	}
	for _, k := range keys {
		if text := k.get(&r); text != "" {
			b = append(b, ' ')
			b = append(append(b, k.name...), '=')
			b = append(b, text...)
		}
	}
	return string(b)
}

// matches tells whether line, without its end, begins with the rule's verb as
// whole words.
func (r *Rule) matches(line string) bool {
	if tagged(r.Service) {
		_, line, _ = strings.Cut(line, " ")
		if len(line) > 4 && strings.EqualFold(line[:4], "UID ") && !strings.HasPrefix(r.Verb, "UID") {
			line = line[4:]
		}
	}
	if len(line) < len(r.Verb) || !strings.EqualFold(line[:len(r.Verb)], r.Verb) {
		return false
	}
	return len(line) == len(r.Verb) || !isWord(line[len(r.Verb)])
}

// tagged are the services whose commands begin with a tag (RFC 9051 section
// 2.2.1). There, FETCH is heard in UID FETCH too.
func tagged(service string) bool { return service == "imap" || service == "imaps" }

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// units of a size, the largest first.
var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// parseSize reads 10, 10B, 64KiB, 1MiB, 2GiB.
func parseSize(s string) (int64, bool) {
	factor := int64(1)
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.name); ok {
			s, factor = digits, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || s[0] == '+' || int64(n) > maxSize/factor {
		return 0, false
	}
	return int64(n) * factor, true
}

// maxSize leaves room to count on.
const maxSize = 1 << 60

// formatSize writes what parseSize reads, in the largest unit that divides it.
func formatSize(n int64) string {
	for _, u := range units[:3] {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// nearest is the word of a list that is most like what was written, "" when
// none is like it.
func nearest(written string, words []string) string {
	best, at := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(written), w); d < at && d < len(w) {
			best, at = w, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out or changed
// (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// positive is text, or "" for zero: keys that are not set are not written.
func positive[T cmp.Ordered](v T, text string) string {
	var zero T
	if v == zero {
		return ""
	}
	return text
}
