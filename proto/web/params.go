package web

import "strings"

// Params are the parameters of a challenge or of credentials (RFC 9110 section
// 11.2): names in lower case, values without quotes.
type Params map[string]string

// maxParams is more than any scheme has.
const maxParams = 32

// ParseParams reads name=value, name="value", ... ; false: that is no such list,
// or a name comes twice.
func ParseParams(s string) (Params, bool) {
	out := Params{}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return out, true
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !ok || !isToken(name) || len(out) == maxParams {
			return nil, false
		}
		value, rest, ok := paramValue(strings.TrimLeft(rest, " \t"))
		rest = strings.TrimLeft(rest, " \t")
		if _, twice := out[name]; !ok || twice || rest != "" && rest[0] != ',' {
			return nil, false
		}
		out[name] = value
		s = rest
	}
}

// paramValue reads a token or a quoted string.
func paramValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], isToken(s[:end])
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// isToken tells a token (RFC 9110 section 5.6.2); some clients leave quotes off
// more than a token, base64 among it.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),;<>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// quoted is s as a quoted string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		c := s[i]
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
