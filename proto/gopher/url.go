package gopher

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// DefaultPort is the port of gopher, and by convention of gophers.
const DefaultPort = 70

// A URL names a resource (RFC 4266). It can be compared.
type URL struct {
	TLS  bool   // gophers
	Host string // without brackets; an IPv6 zone stands behind %
	Port int    // 0: DefaultPort, as ParseURL has it
	Type Type   // 0: Menu
	Request
	// Data is the data block of a filled in form (RFC 4266 section 2.9), from
	// behind the line on. Whoever sends it sends the peer whatever the URL's
	// author wrote; an opener of URLs that others wrote does not.
	Data string
}

// ParseURL reads gopher://host:port/<type><selector>, with %09<search> and
// %09<gopher+ string> behind, and gophers:// likewise. Within the path no
// character is reserved; escapes are octets. ErrField: CR, LF or NUL in it
// (but for the line ends of a data block).
func ParseURL(s string) (URL, error) {
	u, err := parseURL(s)
	if err != nil {
		return URL{}, fmt.Errorf("gopher URL %.200q: %w", s, err)
	}
	return u, nil
}

func parseURL(s string) (u URL, err error) {
	scheme, rest, _ := strings.Cut(s, "://")
	switch strings.ToLower(scheme) {
	case "gopher":
	case "gophers":
		u.TLS = true
	default:
		return u, errors.New("it begins with gopher:// or gophers://")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		if authority, path = rest[:i], rest[i:]; path[0] != '/' {
			return u, errors.New("a / stands between the host and what is asked")
		}
	}
	path, _, _ = strings.Cut(path, "#") // the fragment is the reader's own
	if u.Host, u.Port, err = parseAuthority(authority); err != nil {
		return u, err
	}
	u.Type = Menu
	if path == "" || path == "/" {
		return u, nil
	}
	if path, err = unescape(path[1:]); err != nil {
		return u, err
	}
	if u.Type = Type(path[0]); !u.Type.valid() {
		return u, fmt.Errorf("no item has type %q", path[:1])
	}
	return u, u.setPath(path[1:])
}

// setPath takes what stands behind the type apart.
func (u *URL) setPath(path string) (err error) {
	if line, data, ok := strings.Cut(path, "\r\n"); ok {
		// section 2.9: <selector>%09<search>%09+%091%0D%0A<block>
		if u.Request, err = ParseRequest([]byte(line)); err != nil {
			return err
		}
		if u.Flag != "1" {
			return ErrField
		}
		u.Data = data
		return nil
	}
	if !clean(strings.ReplaceAll(path, "\t", "")) {
		return ErrField
	}
	f := strings.SplitN(path, "\t", 3)
	f = append(f, "", "")
	u.Selector, u.Search, u.Plus = f[0], f[1], f[2]
	if plus, flag, ok := strings.Cut(u.Plus, "\t"); ok {
		if !isFlag(flag) || plus == "" || flag == "1" {
			return ErrRequest
		}
		u.Plus, u.Flag = plus, flag
	}
	return nil
}

// parseAuthority reads host, [host], host:port and [host]:port.
func parseAuthority(s string) (host string, port int, err error) {
	if strings.Contains(s, "@") {
		return "", 0, errors.New("gopher knows no users")
	}
	host = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 && i > strings.LastIndexByte(s, ']') {
		host = s[:i]
		if digits := s[i+1:]; digits != "" {
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || n == 0 {
				return "", 0, fmt.Errorf("port %q: a number from 1 to 65535", digits)
			}
			if n != DefaultPort {
				port = int(n)
			}
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if !ok || !strings.Contains(inner, ":") {
			return "", 0, errors.New("brackets stand around an IPv6 address")
		}
		host = inner
	} else if strings.Contains(host, ":") {
		return "", 0, errors.New("an IPv6 address stands in brackets")
	}
	if host, err = unescape(host); err != nil {
		return "", 0, err
	}
	if host == "" {
		return "", 0, errors.New("the host is missing")
	}
	if !clean(host) || strings.ContainsAny(host, " /?#[]@") {
		return "", 0, fmt.Errorf("host %q: a character that no name has", host)
	}
	return host, port, nil
}

// unescape undoes %XX.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "%")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		if len(after) < 2 {
			return "", errors.New("an escape is % and two hexadecimal digits")
		}
		c, err := strconv.ParseUint(after[:2], 16, 8)
		if err != nil || after[0] == '+' {
			return "", errors.New("an escape is % and two hexadecimal digits")
		}
		b.WriteByte(byte(c))
		s = after[2:]
	}
}

// escape writes octets so that unescape reads them, and so that the URL is one
// by RFC 3986.
func escape(s string, safe string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

const (
	safeInPath = "-._~!$&'()*+,;=:@/"
	safeInHost = "-._~!$&'()*+,;=:"
)

// String is the URL as ParseURL reads it. A URL of no host is one of a menu's
// own server: "gopher:///...".
func (u URL) String() string {
	scheme := "gopher://"
	if u.TLS {
		scheme = "gophers://"
	}
	host := escape(u.Host, safeInHost)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port != 0 && u.Port != DefaultPort {
		host += ":" + strconv.Itoa(u.Port)
	}
	if (u.Type == 0 || u.Type == Menu) && u.Request == (Request{}) && u.Data == "" {
		return scheme + host + "/"
	}
	t := u.Type
	if t == 0 {
		t = Menu
	}
	path := string(rune(t)) + u.Selector
	if u.Search != "" || u.Plus != "" {
		path += "\t" + u.Search
	}
	if u.Plus != "" {
		path += "\t" + u.Plus
	}
	if u.Flag != "" {
		path += "\t" + u.Flag
	}
	if u.Data != "" || u.Flag == "1" {
		path += "\r\n" + u.Data
	}
	return scheme + host + "/" + escape(path, safeInPath)
}

// Address is host:port for a dialer.
func (u URL) Address() string {
	port := u.Port
	if port == 0 {
		port = DefaultPort
	}
	return net.JoinHostPort(u.Host, strconv.Itoa(port))
}

// To is where an item of the menu at u leads. An item of the same server is
// asked for in the same way, with TLS where u has it; another server in clear,
// as a menu cannot say otherwise.
func (u URL) To(i Item) URL {
	to := URL{Host: i.Host, Port: i.Port, Type: i.Type, Request: Request{Selector: i.Selector}}
	if to.Host == "" {
		to.Host = u.Host
	}
	if to.Port == 0 {
		to.Port = u.Port
	}
	to.TLS = u.TLS && strings.EqualFold(to.Address(), u.Address())
	return to
}
