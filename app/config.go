package app

import (
	"slices"

	"github.com/farend-go/farend/server"
)

// OnFreePorts makes every service that is to run, and for which nothing else
// is said, listen on a free port.
func (c *Config) OnFreePorts() {
	for _, s := range c.wanted() {
		if !slices.ContainsFunc(c.Listen, func(p Place) bool { return p.Service == s.Name }) {
			c.Listen = append(c.Listen, Place{Service: s.Name, Address: Address{Port: "0"}})
		}
	}
}

// check finds what cannot be meant.
func (c Config) check() error {
	catalogue := Catalogue()
	known := names(catalogue)
	for _, name := range c.Services {
		if !slices.Contains(known, name) {
			return noSuchService(name, known)
		}
	}
	for _, l := range c.Listen {
		at := slices.Index(known, l.Service)
		if at < 0 {
			return noSuchService(l.Service, known)
		}
		if _, err := l.Address.networks(catalogue[at]); err != nil {
			return badConfig("%s at %s: %w", l.Service, l.Address, err)
		}
		if l.Address.TLS && catalogue[at].Stream == nil {
			return badConfig("%s at %s: TLS is for streams", l.Service, l.Address)
		}
	}
	engines := []string{"goroutines", "events", "uring"}
	if c.Engine != "" && !slices.Contains(engines, c.Engine) {
		return badConfig("%s: no such engine; there are goroutines, events and uring", c.Engine)
	}
	if c.Engine == "uring" {
		if err := (server.EventOptions{Uring: server.UringAlways}).Check(); err != nil {
			return badConfig("engine uring: %w", err)
		}
	}
	if (c.Cert == "") != (c.Key == "") {
		return badConfig("a certificate and its key are given together (--cert FILE --key FILE)")
	}
	if c.Engine == "goroutines" && c.Events != (server.EventOptions{}) {
		return badConfig("loops and spin are for the events engine")
	}
	if c.Events.Loops < 0 || c.Events.Loops > maxLoops || c.Events.Spin < 0 {
		return badConfig("events engine: %d loops, spinning for %v: want 1 to %d, and no less than nothing", c.Events.Loops, c.Events.Spin, maxLoops)
	}
	if err := c.checkUsers(); err != nil {
		return err
	}
	return c.checkInherited()
}

// maxLoops is more than any machine has use for.
const maxLoops = 4096

// checkInherited finds what is asked of inherited sockets in vain.
func (c Config) checkInherited() error {
	inetd := 0
	for _, l := range c.Listen {
		if l.Address.Inherited != "inetd:" {
			continue
		}
		if inetd++; inetd > 1 {
			return badConfig("inetd: there is one standard input, and more than one service wants it")
		}
		if c.Handover != nil {
			return badConfig("%s at inetd: nothing is handed over there: inetd(8) starts each server", l.Service)
		}
	}
	return nil
}

// wanted gives the services that run.
func (c Config) wanted() []Service {
	all := Catalogue()
	everything := len(c.Services) == 0 && !slices.ContainsFunc(c.Listen, func(l Place) bool { return l.Starts })
	if everything {
		return all
	}
	return slices.DeleteFunc(all, func(s Service) bool {
		return !slices.Contains(c.Services, s.Name) &&
			!slices.ContainsFunc(c.Listen, func(l Place) bool { return l.Starts && l.Service == s.Name })
	})
}

// named tells whether somebody asked for this service by name.
func (c Config) named(name string) bool {
	return slices.Contains(c.Services, name) || slices.ContainsFunc(c.Listen, func(l Place) bool { return l.Service == name })
}
