package nntp

import (
	"errors"
	"net/url"
	"strings"

	"github.com/farend-go/farend/message"
)

// ErrURL is a URL that names nothing of NNTP's.
var ErrURL = errors.New("nntp: malformed URL")

// A Target is what a URL names at a server (RFC 5538): an article by its
// identifier, or a group, or articles of one; or else the groups that a wildmat
// means.
type Target struct {
	ID     string // with its angle brackets
	Group  string
	Range  *Range // of Group; nil: the group itself
	Groups Wildmat
}

// ParseTarget reads what a URL names: nntp://host/group, nntp://host/group/17,
// nntp://host/group/1-10 (which is ours), nntp://host/ for all groups, and
// news:identifier, news:group, news:wildmat, each also with //host/ before it.
// ErrURL.
func ParseTarget(u *url.URL) (Target, error) {
	text := strings.TrimPrefix(u.Path, "/")
	if u.Opaque != "" {
		var err error
		if text, err = url.PathUnescape(u.Opaque); err != nil {
			return Target{}, ErrURL
		}
	}
	switch {
	case strings.ContainsAny(text, "\r\n\x00 \t"):
		return Target{}, ErrURL
	case text == "":
		return Target{Groups: Wildmat{{Text: "*"}}}, nil
	case strings.Contains(text, "@"):
		id := "<" + strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">") + ">"
		if !isID(id) {
			return Target{}, ErrURL
		}
		return Target{ID: id}, nil
	}
	group, rest, more := strings.Cut(text, "/")
	if message.ValidNewsgroup(group) {
		t := Target{Group: group}
		if !more || rest == "" {
			return t, nil
		}
		r, err := ParseRange(rest)
		if err != nil {
			return Target{}, ErrURL
		}
		t.Range = &r
		return t, nil
	}
	w, err := ParseWildmat(text)
	if err != nil {
		return Target{}, ErrURL
	}
	return Target{Groups: w}, nil
}
