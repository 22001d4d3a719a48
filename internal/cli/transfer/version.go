package transfer

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Version tells one state of a file from another, as far as its server does.
// Two versions are of the same bytes only where something in both says so.
type Version struct {
	Size     int64     `json:"size"`           // bytes; -1: unknown
	ETag     string    `json:"etag,omitempty"` // a strong one (RFC 9110 section 8.8.3)
	Modified time.Time `json:"modified,omitzero"`
}

// unknown is the version of which nothing is known.
var unknown = Version{Size: -1}

// Known tells whether there is something by which the version can be told.
func (v Version) Known() bool { return v.ETag != "" || !v.Modified.IsZero() }

// Same tells whether w is surely of the same bytes.
func (v Version) Same(w Version) bool {
	switch {
	case v.Size >= 0 && w.Size >= 0 && v.Size != w.Size:
		return false
	case v.ETag != "" && w.ETag != "":
		return v.ETag == w.ETag
	case !v.Modified.IsZero() && !w.Modified.IsZero():
		return v.Modified.Equal(w.Modified)
	}
	return false
}

// versionOf reads what an answer says. Of a 206 the size is the whole file's.
func versionOf(resp *http.Response) Version {
	v := Version{Size: resp.ContentLength}
	if tag := resp.Header.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		v.ETag = tag
	}
	if t, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil {
		v.Modified = t
	}
	if resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		_, v.Size, _ = contentRange(resp.Header.Get("Content-Range"))
	}
	return v
}

// ifRange is the validator for a request that goes on behind what is here
// (RFC 9110 section 13.1.5).
func (v Version) ifRange() string {
	if v.ETag != "" {
		return v.ETag
	}
	if v.Modified.IsZero() {
		return ""
	}
	return v.Modified.UTC().Format(http.TimeFormat)
}

// contentRange reads "bytes A-B/SIZE" and "bytes */SIZE" (RFC 9110 section
// 14.4); from is -1 for the latter, size is -1 for "*".
func contentRange(field string) (from, size int64, ok bool) {
	rest, isBytes := strings.CutPrefix(field, "bytes ")
	span, total, slash := strings.Cut(strings.TrimSpace(rest), "/")
	if !isBytes || !slash {
		return -1, -1, false
	}
	size = -1
	if total != "*" {
		n, err := strconv.ParseUint(total, 10, 63)
		if err != nil {
			return -1, -1, false
		}
		size = int64(n)
	}
	if span == "*" {
		return -1, size, true
	}
	first, _, dash := strings.Cut(span, "-")
	n, err := strconv.ParseUint(first, 10, 63)
	if err != nil || !dash {
		return -1, -1, false
	}
	return int64(n), size, true
}
