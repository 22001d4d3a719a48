package open

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNetrcMode is a .netrc with passwords that others may read.
var ErrNetrcMode = errors.New("others may read it (want mode 0600)")

// Netrc is what a .netrc file says (ftp(1)), the heir of Python's netrc. As a
// PasswordStore it knows a password for every realm of a host, at every port;
// it is not changed after it was read.
type Netrc struct {
	machines map[string]NetrcEntry
	fallback *NetrcEntry
	Macros   map[string][]string // macdef, the lines of each
}

// NetrcEntry is what is said of one machine.
type NetrcEntry struct{ Login, Account, Password string }

// ReadNetrc reads a file; no name is .netrc in the user's home (_netrc where
// only that is there). The error says the line; errors.Is finds
// fs.ErrNotExist, and ErrNetrcMode where the file has passwords and is open to
// others.
func ReadNetrc(name string) (*Netrc, error) {
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		name = filepath.Join(home, ".netrc")
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && runtime.GOOS == "windows" {
			name = filepath.Join(home, "_netrc")
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n, err := ParseNetrc(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 && n.secret() {
		return nil, fmt.Errorf("%s: %w", name, ErrNetrcMode)
	}
	return n, nil
}

func (n *Netrc) secret() bool {
	for _, e := range n.machines {
		if e.Password != "" && e.Login != "anonymous" {
			return true
		}
	}
	return n.fallback != nil && n.fallback.Password != "" && n.fallback.Login != "anonymous"
}

// Lookup gives the entry of a host, or the default one. The first entry of a
// host counts.
func (n *Netrc) Lookup(host string) (NetrcEntry, bool) {
	if e, ok := n.machines[strings.ToLower(host)]; ok {
		return e, true
	}
	if n.fallback != nil {
		return *n.fallback, true
	}
	return NetrcEntry{}, false
}

// FindUserPassword gives the login and password of the URI's host. The default
// entry is not used: it names no host.
func (n *Netrc) FindUserPassword(_, uri string) (user, passwd string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", "", false
	}
	e, ok := n.machines[strings.ToLower(u.Hostname())]
	return e.Login, e.Password, ok && e.Login != ""
}

// ParseNetrc reads the text of a .netrc. The error is one line with the number
// of the line that is wrong.
func ParseNetrc(r io.Reader) (*Netrc, error) {
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, err
	}
	n := &Netrc{machines: map[string]NetrcEntry{}, Macros: map[string][]string{}}
	s := &netrcScan{rest: string(text), line: 1}
	for {
		word, ok := s.next()
		if !ok {
			return n, nil
		}
		if err := n.section(s, word); err != nil {
			return nil, fmt.Errorf("netrc: line %d: %w", s.line, err)
		}
	}
}

func (n *Netrc) section(s *netrcScan, word string) error {
	switch {
	case strings.HasPrefix(word, "#"):
		s.skipLine()
		return nil
	case word == "macdef":
		name, ok := s.next()
		if !ok {
			return errors.New("macdef has no name")
		}
		n.Macros[name] = s.macro()
		return nil
	case word == "machine":
		host, ok := s.next()
		if !ok {
			return errors.New("machine has no name")
		}
		e, err := s.entry()
		if _, twice := n.machines[strings.ToLower(host)]; err == nil && !twice {
			n.machines[strings.ToLower(host)] = e
		}
		return err
	case word == "default":
		e, err := s.entry()
		if err == nil && n.fallback == nil {
			n.fallback = &e
		}
		return err
	}
	return errors.New("want machine, default or macdef") // what is there may be a secret
}

// netrcScan is what is still to be read.
type netrcScan struct {
	rest string
	line int
}

// next gives a word, which may stand in double quotes.
func (s *netrcScan) next() (string, bool) {
	s.space()
	if s.rest == "" {
		return "", false
	}
	end := " \t\r\n"
	if s.rest[0] == '"' {
		s.take(1)
		end = `"`
	}
	var b strings.Builder
	for s.rest != "" {
		c := s.rest[:1]
		if strings.Contains(end, c) {
			if end == `"` {
				s.take(1)
			}
			break
		}
		if s.take(1); c == `\` && s.rest != "" { // a backslash before any character is that character
			c = s.take(1)
		}
		b.WriteString(c)
	}
	return b.String(), true
}

func (s *netrcScan) space() { s.take(len(s.rest) - len(strings.TrimLeft(s.rest, " \t\r\n"))) }

func (s *netrcScan) take(n int) string {
	t := s.rest[:n]
	s.line += strings.Count(t, "\n")
	s.rest = s.rest[n:]
	return t
}

func (s *netrcScan) skipLine() string {
	n := strings.IndexByte(s.rest, '\n')
	if n < 0 {
		return s.take(len(s.rest))
	}
	return strings.TrimRight(s.take(n+1), "\r\n")
}

// macro reads lines up to an empty one.
func (s *netrcScan) macro() []string {
	var lines []string
	s.skipLine()
	for s.rest != "" {
		line := s.skipLine()
		if strings.TrimSpace(line) == "" {
			break
		}
		lines = append(lines, line)
	}
	return lines
}

// entry reads what is said of a machine, up to the next one.
func (s *netrcScan) entry() (NetrcEntry, error) {
	var e NetrcEntry
	for {
		before := *s
		word, ok := s.next()
		if !ok {
			return e, nil
		}
		var into *string
		switch {
		case strings.HasPrefix(word, "#"):
			s.skipLine()
			continue
		case word == "machine" || word == "default" || word == "macdef":
			*s = before
			return e, nil
		case word == "login" || word == "user":
			into = &e.Login
		case word == "account":
			into = &e.Account
		case word == "password":
			into = &e.Password
		default:
			return e, errors.New("want login, password or account") // what is there may be a secret
		}
		if *into, ok = s.next(); !ok {
			return e, fmt.Errorf("%s has no value", word)
		}
	}
}
