package open

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRobots is how much of a robots.txt counts (RFC 9309 section 2.5).
const maxRobots = 500 << 10

// Robots is what a site asks of robots (RFC 9309), the heir of Python's
// urllib.robotparser. It is not changed after it was read.
type Robots struct {
	groups   []group
	siteMaps []string
	all      bool // nothing may be fetched: the site's rules are not to be had
}

type group struct {
	agents []string // in lower case
	rules  []rule
	delay  time.Duration
	slow   bool // delay was given
}

type rule struct {
	allow bool
	path  string // normal form, with * and a last $
}

// ReadRobots fetches the robots.txt of the site that a URL belongs to, with at
// most the redirects that client follows. Where the site answers with 4xx it
// has no rules; with 5xx nothing may be fetched (section 2.3.1). After an error
// nothing is known, and the RFC has a robot fetch nothing.
func ReadRobots(ctx context.Context, client *http.Client, site string) (*Robots, error) {
	u, err := url.Parse(site)
	if err != nil {
		return nil, err
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 500:
		return &Robots{all: true}, nil
	case resp.StatusCode >= 400:
		return &Robots{}, nil
	case resp.StatusCode >= 300:
		return nil, fmt.Errorf("robots: %s: %s", at.String(), resp.Status)
	}
	return ParseRobots(resp.Body)
}

// ParseRobots reads a robots.txt; what it does not know it passes over. The
// error is the reader's.
func ParseRobots(r io.Reader) (*Robots, error) {
	in := bufio.NewReader(io.LimitReader(r, maxRobots))
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = in.Discard(3) // they are there
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	out := &Robots{}
	naming := false // the lines just before named robots
	for line := range strings.SplitSeq(strings.ReplaceAll(string(text), "\r", "\n"), "\n") {
		line, _, _ = strings.Cut(line, "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "user-agent":
			if !naming {
				out.groups = append(out.groups, group{})
			}
			last := &out.groups[len(out.groups)-1]
			last.agents = append(last.agents, strings.ToLower(value))
			naming = true
		case "sitemap":
			out.siteMaps = append(out.siteMaps, value)
		case "allow", "disallow", "crawl-delay":
			naming = false
			if len(out.groups) > 0 {
				out.groups[len(out.groups)-1].add(key, value)
			}
		}
	}
	return out, nil
}

func (g *group) add(key, value string) {
	if key == "crawl-delay" {
		if s, err := strconv.ParseFloat(value, 64); err == nil && s >= 0 && s <= 1e6 {
			g.delay, g.slow = time.Duration(s*float64(time.Second)), true
		}
		return
	}
	if value != "" { // an empty Disallow forbids nothing
		g.rules = append(g.rules, rule{key == "allow", normalPath(value)})
	}
}

// CanFetch tells whether a robot may fetch a URL. The robot is its product
// token, "farendbot"; what stands behind a slash or a space does not count. Of
// the rules for it that match, the longest decides, and Allow among equals.
func (r *Robots) CanFetch(agent, target string) bool {
	if r.all {
		return false
	}
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	p := u.EscapedPath()
	if p == "" {
		p = "/"
	}
	if u.RawQuery != "" || u.ForceQuery {
		p += "?" + u.RawQuery
	}
	p = normalPath(p)
	if p == "/robots.txt" {
		return true
	}
	allow, longest := true, -1
	for _, g := range r.of(agent) {
		for _, rule := range g.rules {
			if n := len(rule.path); (n > longest || n == longest && rule.allow) && match(rule.path, p) {
				allow, longest = rule.allow, n
			}
		}
	}
	return allow
}

// CrawlDelay is the pause between two fetches that a robot is asked for, an
// extension; ok is false where none is.
func (r *Robots) CrawlDelay(agent string) (delay time.Duration, ok bool) {
	for _, g := range r.of(agent) {
		if g.slow && (!ok || g.delay > delay) {
			delay, ok = g.delay, true
		}
	}
	return delay, ok
}

// SiteMaps are the URLs of the site's maps, an extension.
func (r *Robots) SiteMaps() []string { return r.siteMaps }

// of gives the groups for a robot, or else those for all (section 2.2.1).
func (r *Robots) of(agent string) []group {
	agent = strings.ToLower(agent)
	if i := strings.IndexAny(agent, "/ "); i >= 0 {
		agent = agent[:i]
	}
	var own, all []group
	for _, g := range r.groups {
		for _, a := range g.agents {
			if a == "*" {
				all = append(all, g)
			} else if product(a) == agent {
				own = append(own, g)
			}
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// product is the product token that a User-agent line begins with: letters, _
// and -; a digit ends none of those in use.
func product(line string) string {
	if i := strings.IndexAny(line, "/ "); i >= 0 {
		return line[:i]
	}
	return line
}

// normalPath brings percent-encoding to one form (section 2.2.2): octets that
// are unreserved bare, all others beyond ASCII encoded, digits in capitals.
func normalPath(p string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		c := p[i]
		encoded := false
		if c == '%' && i+2 < len(p) {
			if n, err := strconv.ParseUint(p[i+1:i+3], 16, 8); err == nil {
				c, encoded, i = byte(n), true, i+2
			}
		}
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
		if plain || !encoded && c > 0x20 && c < 0x7f {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// match tells whether a path begins as a pattern says. * stands for any bytes
// and a $ at the end for the path's end. Each star takes as little as it can,
// which is enough where only a beginning has to match.
func match(pattern, p string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(p, parts[0]) {
		return false
	}
	p = p[len(parts[0]):]
	for i, part := range parts[1:] {
		if whole && i == len(parts)-2 {
			return strings.HasSuffix(p, part)
		}
		at := strings.Index(p, part)
		if at < 0 {
			return false
		}
		p = p[at+len(part):]
	}
	return !whole || p == ""
}
