package telnet_test

import (
	"testing"

	"github.com/farend-go/farend/proto/telnet"
)

// linemode is an end on which LINEMODE is on, and which has nothing to say.
func linemode(t *testing.T, server bool, chars ...telnet.Char) *telnet.NVT {
	t.Helper()
	o, begin := telnet.Options{Editing: true, Chars: chars}, "\xff\xfd\x22"
	if server {
		o, begin = telnet.Options{Server: true, Do: []telnet.Option{telnet.Linemode}, Chars: chars}, "\xff\xfb\x22"
	}
	n := telnet.NewNVT(o)
	feed(n, []byte(begin))
	if len(n.Out()) == 0 {
		t.Fatal("LINEMODE is not on")
	}
	return n
}

// TestForwardMask refuses to forward on other characters than it does, which is
// an answer (RFC 1184 section 2.3), once and with a mask full of 255s.
func TestForwardMask(t *testing.T) {
	mask := "\xff\xff\xff\xff\xff\xff"
	for _, c := range []struct {
		server     bool
		says, want string
	}{
		{false, "\xff\xfa\x22\xfd\x02" + mask + "\xff\xf0", "\xff\xfa\x22\xfc\x02\xff\xf0"}, // DO, WONT
		{false, "\xff\xfa\x22\xfe\x02\xff\xf0", ""},                                         // DONT
		{true, "\xff\xfa\x22\xfb\x02\xff\xf0", "\xff\xfa\x22\xfe\x02\xff\xf0"},              // WILL, DONT
		{true, "\xff\xfa\x22\xfc\x02\xff\xf0", ""},                                          // WONT
	} {
		n := linemode(t, c.server)
		feed(n, []byte(c.says))
		if got := string(n.Out()); got != c.want {
			t.Errorf("server %v: to %q it says %q, want %q", c.server, c.says, got, c.want)
		}
	}
}

// TestSLC is RFC 1184 sections 5.5 and 5.9: what is answered to each level, by
// who has a character that may change, and one that may not.
func TestSLC(t *testing.T) {
	const value, cant, none, preset, ack = telnet.SLCValue, telnet.SLCCantChange, telnet.SLCNoSupport, telnet.SLCDefault, 0x80
	for _, c := range []struct {
		have, gets byte // levels; the value that comes is another
		says       []byte
	}{
		{value, value, []byte{ack | value, 'w'}},
		{value, cant, []byte{ack | cant, 'w'}},
		{value, none, []byte{ack | none, 'w'}},
		{value, preset, []byte{value, 'v'}},
		{value, ack | value, nil},
		{cant, value, []byte{cant, 'v'}},
		{cant, cant, []byte{none, 0}},
		{cant, preset, []byte{cant, 'v'}},
		{cant, none, []byte{ack | none, 'w'}},
		{none, value, []byte{ack | value, 'w'}},
	} {
		for _, server := range []bool{false, true} {
			n := linemode(t, server, telnet.Char{Function: telnet.SLCEC, Flags: c.have, Value: 'v'})
			feed(n, telnet.AppendSub(nil, telnet.Linemode, []byte{3, telnet.SLCEC, c.gets, 'w'}))
			want := ""
			if c.says != nil {
				want = string(telnet.AppendSub(nil, telnet.Linemode, append([]byte{3, telnet.SLCEC}, c.says...)))
			}
			if got := string(n.Out()); got != want {
				t.Errorf("server %v: level %d gets %#x and says %q, want %q", server, c.have, c.gets, got, want)
			}
			feed(n, telnet.AppendSub(nil, telnet.Linemode, []byte{3, telnet.SLCEC, c.gets, 'w'}))
			if got := string(n.Out()); c.have == value && c.gets != preset && got != "" {
				t.Errorf("server %v: level %d gets %#x again and says %q", server, c.have, c.gets, got)
			}
		}
	}
}
