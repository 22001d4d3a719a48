package open

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CookieFormat is how cookies are written down.
type CookieFormat uint8

const (
	// Netscape is cookies.txt: seven fields with tabs between, of curl, wget
	// and Python's MozillaCookieJar. A cookie of the session expires at 0, as
	// curl has it; Python takes that in with ignore_expires=True.
	Netscape CookieFormat = iota
	// LWP is libwww-perl's Set-Cookie3, of Python's LWPCookieJar.
	LWP
)

// ErrCookieFile is a text that is no file of cookies.
var ErrCookieFile = errors.New("not a file of cookies (want Netscape's or LWP's first line)")

const (
	netscapeHead = "# Netscape HTTP Cookie File"
	lwpHead      = "#LWP-Cookies-2.0"
	lwpTime      = "2006-01-02 15:04:05Z"
	httpOnlyMark = "#HttpOnly_"
)

// Save writes the cookies that are written down whole or not at all, for the
// owner's eyes only; those of the session only if asked for.
func (j *CookieJar) Save(name string, format CookieFormat, session bool) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".cookies-*") // mode 0600
	if err != nil {
		return err
	}
	err = j.Write(f, format, session)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Load reads a file of either format into the jar. errors.Is finds
// fs.ErrNotExist, and ErrCookieFile.
func (j *CookieJar) Load(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := j.Read(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Write writes the cookies; those of the session only if asked for.
func (j *CookieJar) Write(w io.Writer, format CookieFormat, session bool) error {
	b := bufio.NewWriter(w)
	head := netscapeHead
	if format == LWP {
		head = lwpHead
	}
	fmt.Fprintln(b, head)
	for _, k := range j.All() {
		if k.Expires.IsZero() && !session {
			continue
		}
		if format == LWP {
			fmt.Fprintln(b, k.lwp())
		} else {
			fmt.Fprintln(b, k.netscape())
		}
	}
	return b.Flush()
}

// dotted is the domain as both formats have it: with a dot in front where what
// is below counts too.
func (k Cookie) dotted() string {
	if k.HostOnly {
		return k.Domain
	}
	return "." + k.Domain
}

func (k Cookie) netscape() string {
	mark, expires := "", "0"
	if k.HTTPOnly {
		mark = httpOnlyMark
	}
	if !k.Expires.IsZero() {
		expires = strconv.FormatInt(k.Expires.Unix(), 10)
	}
	yes := map[bool]string{true: "TRUE", false: "FALSE"}
	return mark + strings.Join([]string{k.dotted(), yes[!k.HostOnly], k.Path, yes[k.Secure], expires, k.Name, k.Value}, "\t")
}

func (k Cookie) lwp() string {
	var b strings.Builder
	fmt.Fprintf(&b, `Set-Cookie3: %s=%s; path=%s; domain=%s; path_spec`, k.Name, quote(k.Value), quote(k.Path), quote(k.dotted()))
	if !k.HostOnly {
		b.WriteString("; domain_dot")
	}
	if k.Secure {
		b.WriteString("; secure")
	}
	if k.Expires.IsZero() {
		b.WriteString("; discard")
	} else {
		b.WriteString(`; expires="` + k.Expires.UTC().Format(lwpTime) + `"`)
	}
	if k.HTTPOnly {
		b.WriteString("; HttpOnly=None")
	}
	return b.String() + "; version=0"
}

// Read takes a text of either format in; expired cookies, and those that the
// rules refuse, are passed over. The error is ErrCookieFile or the reader's, or
// says which line is wrong.
func (j *CookieJar) Read(r io.Reader) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	if !in.Scan() {
		return errors.Join(ErrCookieFile, in.Err())
	}
	var parse func(string) (Cookie, bool, error)
	switch head := in.Text(); {
	case strings.HasPrefix(head, "#LWP-Cookies-"):
		parse = parseLWP
	case strings.HasPrefix(head, netscapeHead), strings.HasPrefix(head, "# HTTP Cookie File"):
		parse = parseNetscape
	default:
		return ErrCookieFile
	}
	for n := 2; in.Scan(); n++ {
		k, ok, err := parse(strings.TrimRight(in.Text(), "\r"))
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if ok && (k.Expires.IsZero() || k.Expires.After(time.Now())) {
			j.Add(k)
		}
	}
	return in.Err()
}

// parseNetscape reads one line; ok is false for one without a cookie.
func parseNetscape(line string) (k Cookie, ok bool, err error) {
	line, k.HTTPOnly = strings.CutPrefix(line, httpOnlyMark)
	if strings.TrimSpace(line) == "" || !k.HTTPOnly && (line[0] == '#' || line[0] == '$') {
		return k, false, nil
	}
	f := strings.Split(line, "\t")
	if len(f) == 6 { // some programs leave the tab before an empty value away
		f = append(f, "")
	}
	if len(f) != 7 {
		return k, false, fmt.Errorf("want 7 fields with tabs between, have %d", len(f))
	}
	seconds, err := strconv.ParseFloat(f[4], 64)
	if err != nil && f[4] != "" || seconds > 1<<40 || seconds != seconds {
		return k, false, fmt.Errorf("want the time of expiry in seconds, have %q", f[4])
	}
	if seconds > 0 {
		k.Expires = time.Unix(int64(seconds), 0)
	}
	k.Domain = strings.ToLower(strings.TrimPrefix(f[0], "."))
	k.HostOnly = f[1] != "TRUE"
	k.Path, k.Secure, k.Name, k.Value = f[2], f[3] == "TRUE", f[5], f[6]
	if k.Name == "" { // Python's way to write a cookie without a value
		k.Name, k.Value = k.Value, ""
	}
	return k, true, nil
}

// parseLWP reads one line; ok is false for one without a cookie.
func parseLWP(line string) (k Cookie, ok bool, err error) {
	rest, is := strings.CutPrefix(line, "Set-Cookie3:")
	if !is {
		return k, false, nil
	}
	s := scan(rest)
	for first := true; ; first = false {
		s.skip(" \t;,")
		name := s.token()
		if name == "" {
			if s != "" || k.Name == "" {
				return k, false, errors.New("want name=value and parameters with semicolons between")
			}
			return k, k.Domain != "", nil
		}
		value := s.value()
		if first {
			k.Name, k.Value = name, value
			continue
		}
		switch strings.ToLower(name) {
		case "path":
			k.Path = value
		case "domain":
			k.Domain = strings.ToLower(strings.TrimPrefix(value, "."))
			k.HostOnly = !strings.HasPrefix(value, ".") || net.ParseIP(k.Domain) != nil
		case "secure":
			k.Secure = true
		case "httponly":
			k.HTTPOnly = true
		case "expires":
			if k.Expires, err = time.Parse(lwpTime, value); err != nil {
				return k, false, fmt.Errorf("want a time such as %q, have %q", lwpTime, value)
			}
		}
	}
}

// value reads what stands behind a name, if anything does.
func (s *scan) value() string {
	s.skip(" \t")
	if *s == "" || (*s)[0] != '=' {
		return ""
	}
	*s = (*s)[1:]
	s.skip(" \t")
	if *s != "" && (*s)[0] == '"' {
		return s.quoted()
	}
	n := strings.IndexAny(string(*s), "; \t")
	if n < 0 {
		n = len(*s)
	}
	v := string((*s)[:n])
	*s = (*s)[n:]
	return v
}
