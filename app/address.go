package app

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/farend-go/farend/socket"
)

// An Address is where a service listens.
type Address struct {
	Network string // "tcp", "udp", "unix" or "unixgram"; "": tcp and udp, whichever the service speaks
	TLS     bool   // every connection begins with a handshake
	Host    string // without brackets; "" is loopback
	Port    string // a number, or the name of a service
	Path    string // of a Unix socket; @name is abstract

	// Inherited names sockets that the program was started with, as
	// server.Listen has it: "systemd:NAME", "fd:3", "inetd:". What they are
	// decides the network.
	Inherited string
}

// ParseAddress reads "host:port", "[::1]:port", ":port" (loopback),
// "unix:PATH" (a stream), "unixgram:PATH" (datagrams), or "systemd:NAME",
// "systemd:", "fd:N" and "inetd:" (see server.Listen). Before a host and port,
// "tcp:", "udp:" and "tls:" say that only this is meant; "tls:" also before
// inherited sockets. Nothing is looked up.
func ParseAddress(s string) (Address, error) {
	var a Address
	switch word, rest, _ := strings.Cut(s, ":"); word {
	case "unix", "unixgram":
		a.Network, a.Path = word, rest
		if rest == "" || rest == "@" {
			return a, fmt.Errorf("address %q: the path is missing (%s:/run/peer.sock)", s, word)
		}
		if strings.ContainsRune(rest, 0) {
			return a, fmt.Errorf("address %q: a NUL in the path", s)
		}
		return a, nil
	case "tcp", "udp":
		a.Network, s = word, rest
	case "tls":
		a.Network, a.TLS, s = "tcp", true, rest
	}
	if ok, err := a.inherit(s); ok || err != nil {
		return a, err
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return a, fmt.Errorf("address %q: a port alone is written :%s", s, s)
	}
	var err error
	a.Host, a.Port, err = socket.ParseHostPort(s)
	return a, err
}

// inherit notes that s names inherited sockets, if it does.
func (a *Address) inherit(s string) (bool, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	switch {
	case scheme != "systemd" && scheme != "fd" && scheme != "inetd", a.Network != "" && !a.TLS:
		return false, nil
	case scheme == "fd" && (rest == "" || strings.Trim(rest, "0123456789") != ""):
		return false, fmt.Errorf("address %q: want the number of a descriptor, as in fd:3", s)
	case scheme == "inetd" && rest != "":
		return false, fmt.Errorf("address %q: after inetd: comes nothing", s)
	}
	a.Inherited = scheme + ":" + rest
	return true, nil
}

// String is the address as ParseAddress reads it.
func (a Address) String() string {
	switch {
	case a.Inherited != "" && a.TLS:
		return "tls:" + a.Inherited
	case a.Inherited != "":
		return a.Inherited
	case a.Path != "":
		return a.Network + ":" + a.Path
	case a.TLS:
		return "tls:" + net.JoinHostPort(a.Host, a.Port)
	case a.Network != "":
		return a.Network + ":" + net.JoinHostPort(a.Host, a.Port)
	case a.Host == "":
		return ":" + a.Port
	}
	return net.JoinHostPort(a.Host, a.Port)
}

// networks are those on which s listens at a.
func (a Address) networks(s Service) ([]string, error) {
	if a.Network == "" {
		return s.Networks(), nil
	}
	has := s.Networks()
	if a.Network == "unix" || a.Network == "tcp" {
		if slices.Contains(has, "tcp") {
			return []string{a.Network}, nil
		}
		return nil, fmt.Errorf("%s is not spoken over streams", s.Name)
	}
	if slices.Contains(has, "udp") {
		return []string{a.Network}, nil
	}
	return nil, fmt.Errorf("%s is not spoken over datagrams", s.Name)
}

// A Place says that a service listens at an address, instead of where it does
// by itself.
type Place struct {
	Service string
	Address Address
	Starts  bool // the service runs even where Config.Services does not name it
}

// ParseListen reads "SERVICE=ADDRESS" (see ParseAddress).
func ParseListen(s string) (Place, error) {
	service, address, ok := strings.Cut(s, "=")
	if !ok || service == "" || strings.Trim(service, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return Place{}, fmt.Errorf("%q: want SERVICE=ADDRESS, as in echo=:0", s)
	}
	if address == "" {
		return Place{}, fmt.Errorf("%q: the address is missing, as in %s=:0", s, service)
	}
	a, err := ParseAddress(address)
	return Place{Service: service, Address: a, Starts: true}, err
}

// A ConfigError is a configuration that cannot be meant, found before anything
// has begun.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap gives what is wrong.
func (e *ConfigError) Unwrap() error { return e.Err }

func badConfig(format string, args ...any) error { return &ConfigError{fmt.Errorf(format, args...)} }

// asBadConfig makes err a ConfigError that says where it was found.
func asBadConfig(from string, err error) error {
	if bad, ok := errors.AsType[*ConfigError](err); ok {
		err = bad.Err
	}
	return &ConfigError{fmt.Errorf("%s: %w", from, err)}
}

// noSuchService is the error for an unknown name.
func noSuchService(name string, known []string) error {
	if near := Nearest(name, known); near != "" {
		return badConfig("%s: no such service; did you mean %s?", name, near)
	}
	return badConfig("%s: no such service; there are %s", name, strings.Join(known, " "))
}
