package web

import (
	"net/http"
	"strings"
	"time"
)

// version is what conditions are about: the zero version does not exist.
type version struct {
	exists   bool
	tag      ETag
	modified time.Time // zero: unknown
}

// verdict is what the conditions of a request make of it.
type verdict uint8

const (
	perform     verdict = iota
	notModified         // 304
	failed              // 412
	malformed           // 400; of requests that write
)

// field is the value of a list in a header, whose lines are one.
func field(h http.Header, name string) (value string, present bool) {
	lines := h[name]
	switch len(lines) {
	case 0:
		return "", false
	case 1:
		return lines[0], true
	}
	return strings.Join(lines, ", "), true
}

// conditional tells whether there is anything to judge.
func conditional(h http.Header) bool {
	return len(h["If-None-Match"]) > 0 || len(h["If-Modified-Since"]) > 0 ||
		len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// judge evaluates the preconditions of a request, in the order of RFC 9110
// section 13.2.2.
func judge(r *http.Request, v version) verdict {
	h := r.Header
	if !conditional(h) {
		return perform
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if value, ok := field(h, "If-Match"); ok { // section 13.1.1
		set, ok := parseTags(value)
		switch {
		case !ok && !read:
			return malformed
		case !ok || !v.exists || !set.has(v.tag, true):
			return failed
		}
	} else if t, ok := date(h, "If-Unmodified-Since"); ok && v.exists && !v.modified.IsZero() && v.modified.Truncate(time.Second).After(t) { // section 13.1.4
		return failed
	}
	if value, ok := field(h, "If-None-Match"); ok { // section 13.1.2
		set, ok := parseTags(value)
		switch {
		case !ok && !read:
			return malformed
		case !ok || !v.exists || !set.has(v.tag, false):
			return perform
		case read:
			return notModified
		}
		return failed
	}
	if t, ok := date(h, "If-Modified-Since"); ok && read && v.exists && !v.modified.IsZero() && !v.modified.Truncate(time.Second).After(t) { // section 13.1.3
		return notModified
	}
	return perform
}

// date is a field with a date; one that is none is as if it were not there.
func date(h http.Header, name string) (time.Time, bool) {
	lines := h[name]
	if len(lines) != 1 {
		return time.Time{}, false
	}
	t, err := http.ParseTime(lines[0])
	return t, err == nil
}

// inRange tells whether If-Range lets the ranges of a request stand (RFC 9110
// section 13.1.5).
func inRange(h http.Header, v version, now time.Time) bool {
	lines := h["If-Range"]
	if len(lines) == 0 {
		return true
	}
	if len(lines) > 1 {
		return false
	}
	if t, rest, ok := ParseETag(lines[0]); ok {
		return rest == "" && v.tag.Opaque != "" && t.matches(v.tag, true)
	}
	t, err := http.ParseTime(lines[0])
	if err != nil || v.modified.IsZero() {
		return false
	}
	// A time is a strong validator only if the file could not have changed
	// twice within its second (section 8.8.2.2).
	return v.modified.Truncate(time.Second).Equal(t) && now.Sub(v.modified) > time.Second
}
