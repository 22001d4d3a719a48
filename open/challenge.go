package open

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A Challenge is one challenge of WWW-Authenticate or Proxy-Authenticate (RFC
// 9110 section 11.3), or the parameters of Authentication-Info.
type Challenge struct {
	Scheme string            // as sent; schemes are compared without case
	Token  string            // a token68, if it has one
	Params map[string]string // names in lower case; never nil
}

// Realm is the protection space (RFC 9110 section 11.5).
func (c Challenge) Realm() string { return c.Params["realm"] }

// Is compares the scheme.
func (c Challenge) Is(scheme string) bool { return strings.EqualFold(c.Scheme, scheme) }

// maxChallenges is how many one answer may hold; servers send one to three.
const maxChallenges = 32

// ParseChallenges reads all challenges of a header's fields. It is lenient as
// browsers are, and passes over what it cannot read: a parameter that comes
// twice keeps its first value.
func ParseChallenges(h http.Header, name string) []Challenge {
	var out []Challenge
	for _, field := range h.Values(name) {
		s := scan(field)
		for len(out) < maxChallenges {
			c, ok := s.challenge()
			if !ok {
				break
			}
			out = append(out, c)
		}
	}
	return out
}

// String is the challenge as a field's value, parameters by name.
func (c Challenge) String() string {
	var b strings.Builder
	b.WriteString(c.Scheme)
	if c.Token != "" {
		b.WriteString(" " + c.Token)
	}
	sep := " "
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		b.WriteString(sep + name + "=" + quote(c.Params[name]))
		sep = ", "
	}
	return b.String()
}

// parseParams reads a list of name=value (Authentication-Info).
func parseParams(field string) map[string]string {
	s := scan(field)
	params := map[string]string{}
	for {
		s.skip(" \t,")
		name := s.token()
		if name == "" || !s.param(name, params) {
			return params
		}
	}
}

// scan is what of a field is still to be read.
type scan string

func (s *scan) skip(set string) { *s = scan(strings.TrimLeft(string(*s), set)) }

func (s *scan) token() string {
	n := 0
	for n < len(*s) && isToken((*s)[n]) {
		n++
	}
	t := string((*s)[:n])
	*s = (*s)[n:]
	return t
}

// isToken tells the characters of a token (RFC 9110 section 5.6.2).
func isToken(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// challenge reads a scheme and what belongs to it: everything up to the next
// token that no equals sign follows.
func (s *scan) challenge() (Challenge, bool) {
	c := Challenge{Params: map[string]string{}}
	for {
		s.skip(" \t,")
		if *s == "" {
			return c, false
		}
		if c.Scheme = s.token(); c.Scheme != "" {
			break
		}
		s.junk()
	}
	s.skip(" \t")
	if c.Token = s.token68(); c.Token != "" {
		return c, true
	}
	for {
		s.skip(" \t,")
		before := *s
		name := s.token()
		if name == "" {
			if *s == "" {
				return c, true
			}
			s.junk()
			continue
		}
		if !s.param(name, c.Params) {
			*s = before // the next scheme
			return c, true
		}
	}
}

// junk passes over what has no place here, up to the next comma outside of
// quotes.
func (s *scan) junk() {
	for *s != "" && (*s)[0] != ',' {
		if (*s)[0] == '"' {
			s.quoted()
			continue
		}
		*s = (*s)[1:]
	}
}

// param reads "= value" after a name; false: there is no equals sign.
func (s *scan) param(name string, into map[string]string) bool {
	s.skip(" \t")
	if *s == "" || (*s)[0] != '=' {
		return false
	}
	*s = (*s)[1:]
	s.skip(" \t")
	var value string
	if *s != "" && (*s)[0] == '"' {
		value = s.quoted()
	} else {
		n := strings.IndexAny(string(*s), " \t,")
		if n < 0 {
			n = len(*s)
		}
		value = string((*s)[:n])
		*s = (*s)[n:]
	}
	name = strings.ToLower(name)
	if _, twice := into[name]; !twice {
		into[name] = value
	}
	return true
}

// quoted reads a quoted-string; one that does not end ends with the field.
func (s *scan) quoted() string {
	var b strings.Builder
	for i := 1; i < len(*s); i++ {
		switch c := (*s)[i]; {
		case c == '"':
			*s = (*s)[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(*s):
			i++
			b.WriteByte((*s)[i])
		default:
			b.WriteByte(c)
		}
	}
	*s = ""
	return b.String()
}

// token68 reads one, if what is next is one and not a parameter: it is
// followed by the end or a comma.
func (s *scan) token68() string {
	n := 0
	for n < len(*s) && (isToken((*s)[n]) && strings.IndexByte("!#$%&'*^`|", (*s)[n]) < 0 || (*s)[n] == '/') {
		n++
	}
	body := n
	for n < len(*s) && (*s)[n] == '=' {
		n++
	}
	rest := strings.TrimLeft(string((*s)[n:]), " \t")
	if body == 0 || rest != "" && rest[0] != ',' {
		return ""
	}
	if n == len(*s) || n > body || rest != "" {
		t := string((*s)[:n])
		*s = (*s)[n:]
		return t
	}
	return ""
}

// quote makes a quoted-string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

var errControl = errors.New("control characters cannot be sent in a header")

// header refuses what would end a field.
func header(s string) error {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return fmt.Errorf("%w: 0x%02x", errControl, c)
		}
	}
	return nil
}
