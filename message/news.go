package message

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// ErrArticle says what makes a message no article of Netnews.
var ErrArticle = errors.New("message: no news article")

// ParseNewsgroups gives the names of a Newsgroups or Followup-To field, as
// they stand. RFC 5536 3.1.4.
func ParseNewsgroups(value string) []string {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.Trim(name, " \t"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// ValidNewsgroup tells whether a name has the form of RFC 5536 3.1.4. Octets
// above 127 pass, as RFC 3977 9.8 lets them.
func ValidNewsgroup(name string) bool {
	for component := range strings.SplitSeq(name, ".") {
		if component == "" {
			return false
		}
		for i := range len(component) {
			c := component[i]
			if !alphanumeric(c) && strings.IndexByte("+-_", c) < 0 && c < 0x80 {
				return false
			}
		}
	}
	return len(name) <= maxLine
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// ParsePath gives the entries of a Path field, the server that added last
// first, the tail entry last. Diagnostics stand as they do in the field,
// without the "!" before them: ".POSTED.host", "" for a match. RFC 5536 3.1.5.
func ParsePath(value string) []string {
	value = strings.Join(strings.Fields(value), "")
	if value == "" {
		return nil
	}
	return strings.Split(value, "!")
}

// PathHas tells whether a server is named in a Path field: it has the article
// already. Names are compared without regard to case; the tail entry is none.
func PathHas(value, server string) bool {
	entries := ParsePath(value)
	for i, e := range entries {
		if i < len(entries)-1 && strings.EqualFold(e, server) {
			return true
		}
	}
	return false
}

// newsOnce are the fields that an article may have at most once, besides those
// of mail. RFC 5536 3.
var newsOnce = [...]string{"Newsgroups", "Path", "Approved", "Archive", "Control", "Distribution", "Expires", "Followup-To",
	"Injection-Date", "Injection-Info", "Organization", "Summary", "Supersedes", "User-Agent", "Xref", "Content-Type",
	"Content-Transfer-Encoding", "MIME-Version"}

// CheckArticle tells whether a header is that of an article, by RFC 5536. With
// proto it is that of an article to be posted, in which Date, Message-ID and
// Path may still be missing, and what only an injecting server adds must be
// (RFC 5537 3.4.1, 3.5). The error, an [ErrArticle], is nil or names all faults.
func CheckArticle(h Header, proto bool) error {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, f := range h.Fields {
		if f.empty() {
			fault("%s is empty", f.Name)
		}
	}
	if h.repeats() {
		for _, list := range [...][]string{once[:], newsOnce[:]} {
			for _, name := range list {
				if n := h.count(name); n > 1 {
					fault("%d fields %s", n, name)
				}
			}
		}
	}
	for _, name := range [...]string{"From", "Newsgroups", "Subject", "Date", "Message-ID", "Path"} {
		early := proto && (name == "Date" || name == "Message-ID" || name == "Path")
		if !early && h.count(name) == 0 {
			fault("no field %s", name)
		}
	}
	if proto {
		for _, name := range [...]string{"Injection-Info", "Injection-Date", "Xref"} {
			if h.count(name) > 0 {
				fault("%s is for the server to add", name)
			}
		}
	}
	checkArticleValues(h, proto, fault)
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrArticle, strings.Join(faults, ", "))
}

// repeats tells whether any name stands twice.
func (h Header) repeats() bool {
	for i, f := range h.Fields {
		for _, before := range h.Fields[:i] {
			if len(f.Name) == len(before.Name) && strings.EqualFold(f.Name, before.Name) {
				return true
			}
		}
	}
	return false
}

func (h Header) count(name string) int {
	n := 0
	for _, f := range h.Fields {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

// empty tells a field without a value.
func (f Field) empty() bool {
	_, body, _ := bytes.Cut(f.Raw, []byte{':'})
	return len(bytes.Trim(body, " \t\r\n")) == 0
}

// checkArticleValues looks at what the fields say.
func checkArticleValues(h Header, proto bool, fault func(string, ...any)) {
	for _, f := range h.Fields {
		if f.empty() {
			continue
		}
		is := func(name string) bool { return len(f.Name) == len(name) && strings.EqualFold(f.Name, name) }
		switch {
		case is("Date"), is("Expires"):
			if _, err := ParseDate(f.Value()); err != nil {
				fault("%s cannot be read", f.Name)
			}
		case is("From"):
			if _, err := ParseAddresses(f.Value()); err != nil {
				fault("From has no valid address")
			}
		case is("Message-ID"):
			if value := f.Value(); proto && !ValidNewsID(value) || !ValidMessageID(value) {
				fault("Message-ID is malformed")
			}
		case is("Newsgroups"):
			checkGroups(f.Value(), fault)
		case is("Path"):
			if proto && strings.Contains(strings.ToUpper(f.Value()), "!.POSTED") {
				fault("Path says that the article was posted already")
			}
		}
	}
}

func checkGroups(value string, fault func(string, ...any)) {
	names := ParseNewsgroups(value)
	if len(names) == 0 {
		fault("Newsgroups has no name")
	}
	for _, name := range names {
		if !ValidNewsgroup(name) {
			fault("newsgroup %.80q is malformed", name)
		}
	}
}
