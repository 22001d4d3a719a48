package web

import (
	"io/fs"
	"strconv"
	"strings"
)

// An ETag is an entity tag (RFC 9110 section 8.8.3): a name for one version of
// a resource. The zero ETag is none.
type ETag struct {
	Weak   bool
	Opaque string // without quotes
}

// Append writes the tag as it stands in a field: W/"opaque". Opaque must be
// visible ASCII without a quote, or obs-text.
func (t ETag) Append(b []byte) []byte {
	if t.Weak {
		b = append(b, "W/"...)
	}
	b = append(b, '"')
	b = append(b, t.Opaque...)
	return append(b, '"')
}

func (t ETag) String() string { return string(t.Append(nil)) }

// ParseETag reads a tag at the beginning of s and gives what follows it.
func ParseETag(s string) (t ETag, rest string, ok bool) {
	s, t.Weak = strings.CutPrefix(s, "W/")
	if s == "" || s[0] != '"' {
		return ETag{}, "", false
	}
	end := strings.IndexByte(s[1:], '"') + 1
	if end < 1 {
		return ETag{}, "", false
	}
	t.Opaque = s[1:end]
	for i := range len(t.Opaque) {
		if c := t.Opaque[i]; c < 0x21 || c == 0x7f {
			return ETag{}, "", false
		}
	}
	return t, s[end+1:], true
}

// matches compares as If-Match does (strong) or as If-None-Match does (RFC
// 9110 section 8.8.3.2).
func (t ETag) matches(o ETag, strong bool) bool {
	if strong && (t.Weak || o.Weak) {
		return false
	}
	return t.Opaque == o.Opaque
}

// tagSet is the value of If-Match or If-None-Match.
type tagSet struct {
	any  bool // "*"
	tags []ETag
}

// maxTags is how many tags are looked at.
const maxTags = 256

// parseTags reads a list of tags, or "*".
func parseTags(s string) (set tagSet, ok bool) {
	if strings.Trim(s, " \t") == "*" {
		return tagSet{any: true}, true
	}
	for {
		s = strings.TrimLeft(s, " \t,") // empty elements are to be taken (section 5.6.1.2)
		if s == "" {
			return set, len(set.tags) > 0
		}
		t, rest, good := ParseETag(s)
		rest = strings.TrimLeft(rest, " \t")
		if !good || rest != "" && rest[0] != ',' || len(set.tags) == maxTags {
			return tagSet{}, false
		}
		set.tags = append(set.tags, t)
		s = rest
	}
}

// has tells whether the set has the tag of what exists; without a tag only "*"
// does.
func (s tagSet) has(t ETag, strong bool) bool {
	if s.any {
		return true
	}
	for _, one := range s.tags {
		if t.Opaque != "" && one.matches(t, strong) {
			return true
		}
	}
	return false
}

// identity is what tells versions of a file apart: another file under the same
// name has another inode, and one that is written in place another time.
type identity struct {
	inode, size uint64
	changed     int64 // in nanoseconds
}

// identityOf is false where there are no inodes: what is in memory or in an
// archive.
func identityOf(info fs.FileInfo) (identity, bool) {
	inode, ok := inodeOf(info)
	return identity{inode, uint64(info.Size()), info.ModTime().UnixNano()}, ok
}

func (i identity) tag() ETag {
	b := make([]byte, 0, 48)
	b = strconv.AppendUint(b, i.inode, 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, i.size, 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, i.changed, 36)
	return ETag{Opaque: string(b)}
}
