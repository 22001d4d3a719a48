package ftp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/wire"
)

// leastPort is the first port to which a client may have data sent (RFC 2577
// section 3).
const leastPort = 1024

// port takes the client's address for data (RFC 959 section 4.1.2).
func (s *session) port(_ context.Context, arg string) error {
	a, err := parseHostPort(arg)
	if err != nil {
		s.reply(501, "Usage: PORT h1,h2,h3,h4,p1,p2")
		return nil
	}
	return s.toClient(a)
}

// eprt is PORT for every family (RFC 2428 section 2).
func (s *session) eprt(_ context.Context, arg string) error {
	a, err := parseExtended(arg)
	switch {
	case errors.Is(err, errFamily):
		s.reply(522, "Network protocol not supported, use (1,2)")
		return nil
	case err != nil:
		s.reply(501, "Usage: EPRT |family|host|port|")
		return nil
	}
	return s.toClient(a)
}

// toClient refuses to be sent elsewhere: the bounce attack (RFC 2577 section 3).
func (s *session) toClient(a netip.AddrPort) error {
	s.dropData()
	switch {
	case s.epsvAll:
		s.reply(503, "EPSV ALL was said")
	case a.Addr().Unmap() != s.peer.WithZone(""):
		s.reply(504, "Data goes to the client's own address only")
	case a.Port() < leastPort:
		s.reply(504, "Data goes to ports from 1024 up only")
	default:
		s.data = active{s.local, netip.AddrPortFrom(s.peer, a.Port())}
		s.reply(200, "OK")
	}
	return nil
}

// pasv waits for the client to connect (RFC 959 section 4.1.2).
func (s *session) pasv(ctx context.Context, _ string) error {
	s.dropData()
	switch {
	case s.epsvAll:
		s.reply(503, "EPSV ALL was said")
		return nil
	case !s.local.Is4():
		s.reply(425, "Use EPSV: the connection is not over IPv4")
		return nil
	}
	outer, err := s.advertised(ctx)
	if err == wire.ErrWait {
		return err
	}
	if err != nil {
		s.reply(425, "The server does not know its address")
		return nil
	}
	e, err := s.h.ports.expect(ctx, s.local, s.peer, s.h.Ports)
	if err != nil {
		s.reply(425, "No port is free")
		return nil
	}
	s.data = e
	text := appendHostPort([]byte("Entering Passive Mode ("), netip.AddrPortFrom(outer, e.port.at.Port()))
	s.reply(227, string(text)+")")
	return nil
}

// advertised is the address that PASV tells.
func (s *session) advertised(ctx context.Context) (netip.Addr, error) {
	name := s.h.Advertise
	if name == "" || name == "auto" {
		return s.local, nil
	}
	if a, err := netip.ParseAddr(name); err == nil && a.Unmap().Is4() {
		return a.Unmap(), nil
	}
	if s.prompt {
		return netip.Addr{}, wire.ErrWait
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Unmap(), nil
}

// epsv is PASV for every family: the address is the one that the client knows
// (RFC 2428 section 3).
func (s *session) epsv(ctx context.Context, arg string) error {
	family := map[bool]string{true: "1", false: "2"}[s.local.Is4()]
	switch {
	case strings.EqualFold(arg, "ALL"):
		s.epsvAll = true
		s.reply(200, "EPSV only from now on")
		return nil
	case arg != "" && arg != family:
		if arg != "1" && arg != "2" {
			s.reply(501, "Usage: EPSV [1 | 2 | ALL]")
			return nil
		}
		s.reply(522, "Network protocol not supported, use ("+family+")")
		return nil
	}
	s.dropData()
	if !s.local.IsValid() {
		s.reply(425, "The connection has no address")
		return nil
	}
	e, err := s.h.ports.expect(ctx, s.local, s.peer, s.h.Ports)
	if err != nil {
		s.reply(425, "No port is free")
		return nil
	}
	s.data = e
	s.replyf(229, "Entering Extended Passive Mode (|||%d|)", e.port.at.Port())
	return nil
}

// type_ is ASCII or image (RFC 959 section 3.1.1).
func (s *session) type_(_ context.Context, arg string) error {
	kind, form, _ := strings.Cut(strings.ToUpper(arg), " ")
	switch {
	case kind == "A" && (form == "" || form == "N"):
		s.ascii = true
	case kind == "I" && form == "", kind == "L" && form == "8":
		s.ascii = false
	case kind == "A", kind == "E", kind == "L":
		s.reply(504, "TYPE A, A N, I or L 8")
		return nil
	default:
		s.reply(501, "Usage: TYPE A | I | L 8")
		return nil
	}
	s.reply(200, "Type is "+strings.ToUpper(arg))
	return nil
}

func (s *session) stru(_ context.Context, arg string) error {
	return s.only(arg, "F", "RP")
}

func (s *session) mode(_ context.Context, arg string) error {
	return s.only(arg, "S", "BCZ")
}

// only accepts the one value that is implemented.
func (s *session) only(arg, ours, others string) error {
	switch up := strings.ToUpper(arg); {
	case up == ours:
		s.reply(200, "OK")
	case len(up) == 1 && strings.Contains(others, up):
		s.reply(504, "Only "+ours)
	default:
		s.reply(501, "Only "+ours)
	}
	return nil
}

// allo notes how large the next file will be (RFC 959 section 4.1.3).
func (s *session) allo(_ context.Context, arg string) error {
	size, _, _ := strings.Cut(arg, " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		s.reply(501, "Usage: ALLO bytes")
		return nil
	}
	s.announced = n
	s.reply(200, "OK")
	return nil
}

// rest notes where the next transfer begins (RFC 3659 section 5).
func (s *session) rest(_ context.Context, arg string) error {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n < 0 {
		s.reply(501, "Usage: REST offset")
		return nil
	}
	s.offset = n
	s.replyf(350, "Restarting at %d", n)
	return nil
}

// abor ends a transfer, or forgets the data connection that was to come
// (RFC 959 section 4.1.3).
func (s *session) abor(context.Context, string) error {
	if s.job == nil {
		s.dropData()
		s.reply(226, "Nothing to abort")
		return nil
	}
	s.job.aborted = true
	s.job.cancel()
	return nil
}

// stat tells of a running transfer, of the session, or of files (RFC 959
// section 4.1.3).
func (s *session) stat(ctx context.Context, arg string) error {
	if s.job != nil {
		s.replyf(213, "%s: %d bytes in %s", s.job.about, s.job.moved.Load(), time.Since(s.job.began).Round(time.Millisecond))
		return nil
	}
	if arg != "" {
		if s.files == nil {
			s.reply(530, "Please log in with USER and PASS")
			return nil
		}
		return s.statFiles(ctx, arg)
	}
	lines := []string{"Status:"}
	if s.peer.IsValid() {
		lines = append(lines, " Connected from "+s.peer.String())
	}
	if s.files != nil {
		lines = append(lines, " Logged in as "+s.encode(s.user))
	}
	lines = append(lines, fmt.Sprintf(" TYPE: %s, STRU: F, MODE: S", map[bool]string{true: "A", false: "I"}[s.ascii]))
	if s.sec != nil {
		lines = append(lines, fmt.Sprintf(" TLS: control %t, data %t", s.isSecure(), s.private))
	}
	s.reply(211, append(lines, "End")...)
	return nil
}
