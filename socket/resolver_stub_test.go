package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// stubDNS is a name server on loopback, by UDP and TCP on one port.
type stubDNS struct {
	addr  netip.AddrPort
	zone  map[string]stubName // by name in lower case, with the final dot
	mu    sync.Mutex
	asked []string
}

// stubName is what the server says of a name.
type stubName struct {
	a, aaaa    []string
	cname, ptr string
	rcode      dnsmessage.RCode
	rcodeAAAA  dnsmessage.RCode // for AAAA only
	silent     bool
	lame       bool // does not do recursion
	big        bool // does not fit into a datagram
	forged     bool // comes after answers that are not to the question
}

func startStubDNS(t *testing.T, zone map[string]stubName) *stubDNS {
	t.Helper()
	return startStubDNSAt(t, "127.0.0.1:0", zone)
}

func startStubDNSAt(t *testing.T, address string, zone map[string]stubName) *stubDNS {
	t.Helper()
	packets, streams := listenTwice(t, address)
	s := &stubDNS{addr: packets.LocalAddr().(*net.UDPAddr).AddrPort(), zone: zone}
	var serving sync.WaitGroup
	serving.Go(func() { s.servePackets(packets) })
	serving.Go(func() { s.serveStreams(streams) })
	t.Cleanup(func() { packets.Close(); streams.Close(); serving.Wait() })
	return s
}

// listenTwice finds a port that is free for UDP and TCP. On a busy machine the
// first one that is free for TCP often is not.
func listenTwice(t *testing.T, address string) (net.PacketConn, net.Listener) {
	t.Helper()
	var err error
	for range 100 {
		var streams net.Listener
		if streams, err = net.Listen("tcp4", address); err != nil {
			continue
		}
		var packets net.PacketConn
		if packets, err = net.ListenPacket("udp4", streams.Addr().String()); err == nil {
			return packets, streams
		}
		streams.Close()
	}
	t.Fatalf("no port for a name server: %v", err)
	return nil, nil
}

func (s *stubDNS) servePackets(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, peer, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		for _, reply := range s.replies(buf[:n], true) {
			conn.WriteTo(reply, peer)
		}
	}
}

func (s *stubDNS) serveStreams(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err == nil {
			query := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(conn, query); err == nil {
				for _, reply := range s.replies(query, false) {
					conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
				}
			}
		}
		conn.Close()
	}
}

func (s *stubDNS) replies(packet []byte, datagram bool) [][]byte {
	var msg dnsmessage.Message
	if err := msg.Unpack(packet); err != nil {
		return nil
	}
	q := msg.Questions[0]
	s.mu.Lock()
	s.asked = append(s.asked, q.Name.String()+" "+strings.TrimPrefix(q.Type.String(), "Type"))
	s.mu.Unlock()
	name := strings.ToLower(q.Name.String())
	entry, known := s.zone[name]
	if entry.silent {
		return nil
	}
	msg.Response, msg.RecursionAvailable = true, !entry.lame
	if datagram && entry.big {
		msg.Truncated = true
		return [][]byte{pack(msg)}
	}
	var out [][]byte
	if entry.forged {
		wrongID, wrongName := msg, msg
		wrongID.ID++
		wrongName.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("other.test."), Type: q.Type, Class: q.Class}}
		out = append(out, []byte("rubbish"), pack(wrongID), pack(wrongName), packet)
	}
	msg.RCode = entry.rcode
	if q.Type == dnsmessage.TypeAAAA && entry.rcodeAAAA != 0 {
		msg.RCode = entry.rcodeAAAA
	}
	if !known {
		msg.RCode = dnsmessage.RCodeNameError
	}
	msg.Answers = s.answers(name, q.Type)
	return append(out, pack(msg))
}

func (s *stubDNS) answers(name string, t dnsmessage.Type) []dnsmessage.Resource {
	var out []dnsmessage.Resource
	add := func(t dnsmessage.Type, body dnsmessage.ResourceBody) {
		h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: t, Class: dnsmessage.ClassINET, TTL: 60}
		out = append(out, dnsmessage.Resource{Header: h, Body: body})
	}
	for s.zone[name].cname != "" && len(out) < 20 {
		next := s.zone[name].cname
		add(dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(next)})
		name = strings.ToLower(next)
	}
	entry := s.zone[name]
	switch t {
	case dnsmessage.TypeA:
		for _, a := range entry.a {
			add(t, &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()})
		}
	case dnsmessage.TypeAAAA:
		for _, a := range entry.aaaa {
			add(t, &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(a).As16()})
		}
	case dnsmessage.TypePTR:
		if entry.ptr != "" {
			add(t, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(entry.ptr)})
		}
	}
	return out
}

func pack(msg dnsmessage.Message) []byte {
	packet, err := msg.Pack()
	if err != nil {
		panic(err)
	}
	return packet
}

// questions gives what has been asked since the last call.
func (s *stubDNS) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.asked
	s.asked = nil
	return out
}

// resolver asks this server, with nothing of the machine that the test runs on:
// IPv6 destinations have an IPv6 source, IPv4 ones an IPv4 source.
func (s *stubDNS) resolver(t *testing.T, resolvConf string) *Resolver {
	policy := RFC6724Policy()
	return &Resolver{
		HostsFile:   writeFile(t, "hosts", "192.0.2.99 both.test\n"),
		ResolvConf:  writeFile(t, "resolv.conf", resolvConf),
		Nameservers: []netip.AddrPort{s.addr},
		Attempts:    1,
		Policy:      &policy,
		Source: func(dst netip.Addr) (Source, bool) {
			if dst.Is4() {
				return Source{Addr: netip.MustParseAddr("192.0.2.1"), PrefixLen: 24}, true
			}
			return Source{Addr: netip.MustParseAddr("2001:db8::1"), PrefixLen: 64}, true
		},
	}
}

var errDialed = errors.New("the network was asked")

func refuseToDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, network, address string) (net.Conn, error) {
		t.Errorf("a connection to %s by %s", address, network)
		return nil, errDialed
	}
}
