package socket

import (
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// dnsConfig is resolv.conf(5) and what a Resolver's fields put in its place.
type dnsConfig struct {
	servers  []netip.AddrPort
	search   []string
	ndots    int
	timeout  time.Duration
	attempts int
	rotate   bool
}

// dnsConfig reads resolv.conf; without one the defaults hold, and the name
// server is this host.
func (r *Resolver) dnsConfig() dnsConfig {
	c := dnsConfig{ndots: 1, timeout: 5 * time.Second, attempts: 2}
	if f, err := os.Open(r.file("resolv.conf")); err == nil {
		defer f.Close()
		c.read(f)
	}
	if c.search == nil {
		c.search = ownDomain()
	}
	if r != nil {
		if r.Nameservers != nil {
			c.servers = r.Nameservers
		}
		if r.Timeout > 0 {
			c.timeout = r.Timeout
		}
		if r.Attempts > 0 {
			c.attempts = r.Attempts
		}
	}
	if len(c.servers) == 0 {
		c.servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
	}
	return c
}

// ownDomain is what is searched where resolv.conf names nothing: the domain of
// this host's name.
func ownDomain() []string {
	name, err := os.Hostname()
	if _, domain, ok := strings.Cut(name, "."); err == nil && ok && domain != "" {
		return []string{domain}
	}
	return []string{}
}

// The limits of resolv.conf(5).
const maxServers, maxNdots, maxTimeout, maxAttempts = 3, 15, 30, 5

// read takes the keywords that resolv.conf(5) has; comments begin with # or ;,
// the last search or domain line counts, and what makes no sense is passed over.
func (c *dnsConfig) read(in io.Reader) {
	for fields := range tableLines(in) {
		if strings.HasPrefix(fields[0], ";") {
			continue
		}
		args := fields[1:]
		if len(args) == 0 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			addr, err := netip.ParseAddr(args[0])
			if err == nil && len(c.servers) < maxServers {
				c.servers = append(c.servers, netip.AddrPortFrom(addr, 53))
			}
		case "domain":
			c.search = []string{strings.TrimSuffix(args[0], ".")}
		case "search":
			c.search = nil
			for _, d := range args {
				c.search = append(c.search, strings.TrimSuffix(d, "."))
			}
		case "options":
			for _, o := range args {
				c.option(o)
			}
		}
	}
}

func (c *dnsConfig) option(o string) {
	name, value, _ := strings.Cut(o, ":")
	n, err := strconv.Atoi(value)
	valid := err == nil && n >= 0
	switch {
	case name == "rotate":
		c.rotate = true
	case name == "ndots" && valid:
		c.ndots = min(n, maxNdots)
	case name == "timeout" && valid:
		c.timeout = time.Duration(max(1, min(n, maxTimeout))) * time.Second
	case name == "attempts" && valid:
		c.attempts = max(1, min(n, maxAttempts))
	}
}

// candidates lists the names to ask for, in order, all with their final dot.
func (c dnsConfig) candidates(name string) []string {
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	asIs := name + "."
	var out []string
	first := strings.Count(name, ".") >= c.ndots
	if first {
		out = append(out, asIs)
	}
	for _, d := range c.search {
		full := asIs
		if d != "" {
			full = name + "." + d + "."
		}
		if len(full) <= 254 && full != asIs {
			out = append(out, full)
		}
	}
	if !first {
		out = append(out, asIs)
	}
	return out
}
