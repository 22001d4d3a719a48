package socket

import (
	"net/netip"
	"syscall"
	"testing"
	"time"
)

func TestTutorial11_ProtocolNumbers(t *testing.T) {
	for _, c := range []struct {
		typ   Type
		proto Proto
		want  Proto
	}{
		{SOCK_STREAM, 0, IPPROTO_TCP}, {SOCK_DGRAM, 0, IPPROTO_UDP}, {SOCK_STREAM, 6, IPPROTO_TCP},
		{SOCK_DGRAM, 17, IPPROTO_UDP}, {SOCK_STREAM, 262, IPPROTO_MPTCP},
	} {
		s, err := Socket(AF_INET, c.typ, c.proto)
		if c.proto == IPPROTO_MPTCP && err != nil {
			t.Logf("no MPTCP here: %v", err)
			continue
		}
		closeAfter(t, must(s, err)(t))
		if got := must(SO_PROTOCOL.Get(s))(t); got != c.want {
			t.Errorf("%v, %v: the protocol is %v, want %v", c.typ, c.proto, got, c.want)
		}
		if got := must(SO_TYPE.Get(s))(t); got != c.typ {
			t.Errorf("%v, %v: the type is %v", c.typ, c.proto, got)
		}
		if got := must(SO_DOMAIN.Get(s))(t); got != AF_INET {
			t.Errorf("%v, %v: the family is %v", c.typ, c.proto, got)
		}
	}
	_, err := Socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)
	wantErr(t, err, syscall.EPROTONOSUPPORT)
}

func TestTutorial10_Types(t *testing.T) {
	for _, typ := range []Type{SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET} {
		s := closeAfter(t, must(Socket(AF_UNIX, typ|SOCK_CLOEXEC|SOCK_NONBLOCK, 0))(t))
		if got := must(SO_TYPE.Get(s))(t); got != typ || s.Type() != typ {
			t.Errorf("asked for %v, got %v and %v", typ, got, s.Type())
		}
	}
	raw, err := Socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
	if err != nil {
		wantErr(t, err, syscall.EPERM)
		t.Skip("raw sockets need a privilege")
	}
	if err := raw.Close(); err != nil {
		t.Error(err)
	}
}

func TestTCPInfo(t *testing.T) {
	client, server := tcpPair(t)
	must(client.SendAll(t.Context(), make([]byte, 12345)))(t)
	must(server.Recv(t.Context(), 12345, MSG_WAITALL))(t)
	got := must(TCP_INFO.Get(server))(t)
	if got.State != TCP_ESTABLISHED || got.BytesReceived != 12345 || got.SndMSS == 0 {
		t.Errorf("got %+v", got)
	}
	listener := loopback(t)
	if got := must(TCP_INFO.Get(listener))(t); got.State != TCP_LISTEN || got.State.String() != "LISTEN" {
		t.Errorf("got %v", got.State)
	}
}

func TestLinuxOptions(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	trip(t, s, TCP_KEEPIDLE, 30*time.Second)
	trip(t, s, TCP_KEEPINTVL, 5*time.Second)
	trip(t, s, TCP_KEEPCNT, 4)
	trip(t, s, TCP_USER_TIMEOUT, 1500*time.Millisecond)
	trip(t, s, TCP_CORK, true)
	trip(t, s, TCP_CONGESTION, "reno")
	trip(t, s, SO_MAX_PACING_RATE, 1<<20)
	trip(t, s, SO_PRIORITY, 3)
	trip(t, s, IP_MTU_DISCOVER, 2)
	if c := must(SO_COOKIE.Get(s))(t); c == 0 {
		t.Error("no SO_COOKIE")
	}
	// A part of a second must not become none, which would switch it off.
	if err := TCP_KEEPIDLE.Set(s, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := must(TCP_KEEPIDLE.Get(s))(t); got != time.Second {
		t.Errorf("1ms became %v", got)
	}
	u := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	trip(t, u, UDP_SEGMENT, 1200)
	trip(t, u, IP_PKTINFO, true)
}

func TestSourceSpecificMulticast(t *testing.T) {
	ctx := t.Context()
	group, local := netip.MustParseAddr("232.1.2.3"), netip.MustParseAddr("127.0.0.1")
	index := must(IfNameToIndex("lo"))(t)
	in := closeAfter(t, must(CreateServer(ctx, Pair("", 0), ServerConfig{Family: AF_INET, Type: SOCK_DGRAM}))(t))
	from := SourceMembership{Group: group, Source: local, Interface: index}
	if err := MCAST_JOIN_SOURCE_GROUP.Set(in, from); err != nil {
		t.Skipf("loopback cannot join groups here: %v", err)
	}
	out := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	trip(t, out, IP_MULTICAST_IF, local)
	to := Pair(group, int(must(in.Getsockname())(t).(InetAddr).Port()))
	must(out.SendTo(ctx, []byte("from the right one"), to))(t)
	if got := must(in.Recv(ctx, 99))(t); string(got) != "from the right one" {
		t.Errorf("got %q", got)
	}
	stranger := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	if err := stranger.Bind(ctx, Pair("127.0.0.2", 0)); err != nil {
		t.Fatal(err)
	}
	trip(t, stranger, IP_MULTICAST_IF, local)
	must(stranger.SendTo(ctx, []byte("from a stranger"), to))(t)
	must(out.SendTo(ctx, []byte("again"), to))(t)
	if got := must(in.Recv(ctx, 99))(t); string(got) != "again" {
		t.Errorf("got %q", got)
	}
	if err := MCAST_LEAVE_SOURCE_GROUP.Set(in, from); err != nil {
		t.Error(err)
	}
	wantErr(t, MCAST_JOIN_SOURCE_GROUP.Set(in, SourceMembership{Group: group}), syscall.EINVAL)
}
