package app

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/farend-go/farend/server"
)

// events are the options of the events engine.
func (s Settings) events() (o server.EventOptions, err error) {
	if o.Spin, err = s.Duration("spin", 0); err != nil {
		return o, err
	}
	text := s.Text("loops")
	if text == "" {
		return o, nil
	}
	if o.Loops, err = strconv.Atoi(text); err != nil || o.Loops < 1 {
		return o, badConfig("%s: %q is no number of loops, as in 2", s["loops"].From, text)
	}
	return o, nil
}

// proxy says from whom the PROXY protocol's header is taken; nil: nobody.
func (s Settings) proxy() (*server.ProxyHeader, error) {
	var p server.ProxyHeader
	set := s["proxy-from"]
	for _, value := range set.Values {
		for _, text := range split(value, " ,\t") {
			if text == "unix" {
				p.TrustUnix = true
				continue
			}
			prefix, err := parsePrefix(text)
			if err != nil {
				return nil, badConfig("%s: %q is no network, as in 10.0.0.0/8, and not the word unix", set.From, text)
			}
			p.Trusted = append(p.Trusted, prefix)
		}
	}
	var err error
	if p.Required, err = s.Bool("proxy-required"); err != nil {
		return nil, err
	}
	if p.Timeout, err = s.Duration("proxy-timeout", 0); err != nil {
		return nil, err
	}
	trusts := len(p.Trusted) > 0 || p.TrustUnix
	if !trusts && (p.Required || p.Timeout > 0) {
		return nil, badConfig("proxy-required and proxy-timeout are about the proxies that --proxy-from names")
	}
	if !trusts {
		return nil, nil
	}
	return &p, nil
}

// parsePrefix reads a network, or an address, which stands for itself.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
}
