package telnet_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/farend-go/farend/proto/telnet"
)

// converse lets two ends talk until both are silent, and tells what data each
// has got. It fails where they never are.
func converse(t *testing.T, a, b *telnet.NVT) (toA, toB []byte) {
	t.Helper()
	for range 200 {
		fromA, fromB := a.Out(), b.Out()
		if len(fromA)+len(fromB) == 0 {
			return toA, toB
		}
		toB = append(toB, feed(b, fromA)...)
		toA = append(toA, feed(a, fromB)...)
	}
	t.Fatal("two ends talk without end")
	return nil, nil
}

func feed(n *telnet.NVT, b []byte) (data []byte) {
	for {
		e, rest := n.Next(b)
		if e.Kind == telnet.Nothing {
			return data
		}
		if b = rest; e.Kind == telnet.Data {
			data = append(data, e.Data...)
		}
	}
}

func client() telnet.Options {
	return telnet.Options{
		Will: []telnet.Option{telnet.Binary, telnet.SGA, telnet.Status}, Do: []telnet.Option{telnet.Echo, telnet.SGA, telnet.Binary, telnet.EndRecord},
		Terminals: []string{"FAREND", "XTERM-256COLOR", "MTTS 13"}, Window: true, Speed: "38400,38400", Display: "host:0.0",
		Variables: []telnet.Variable{{Name: "USER", Value: "ann"}, {Name: "a\x01b", Value: "\x00\xff", User: true}},
		Charsets:  []string{"UTF-8"}, Editing: true, Flow: true,
	}
}

func serverEnd() telnet.Options {
	return telnet.Options{
		Server: true, Mode: telnet.ModeEdit | telnet.ModeTrapSig, Charsets: []string{"ISO-8859-1", "UTF-8"},
		Will: []telnet.Option{telnet.Echo, telnet.SGA, telnet.Binary, telnet.EndRecord},
		Do: []telnet.Option{
			telnet.SGA, telnet.Binary, telnet.TTYPE, telnet.NAWS, telnet.TSPEED, telnet.XDISPLOC, telnet.NewEnviron, telnet.Linemode,
			telnet.LFLOW, telnet.Charset, telnet.Status,
		},
	}
}

// TestEveryOption has a server ask for everything that it may.
func TestEveryOption(t *testing.T) {
	s, c := telnet.NewNVT(serverEnd()), telnet.NewNVT(client())
	c.SetWindow(255, 65535)
	for _, o := range serverEnd().Do {
		s.Ask(telnet.DO, o)
	}
	for _, o := range append(serverEnd().Will, telnet.Charset) {
		s.Ask(telnet.WILL, o)
	}
	converse(t, s, c)
	p := s.Peer
	if p.Width != 255 || p.Height != 65535 || !p.Named || !reflect.DeepEqual(p.Terminals, client().Terminals) || p.Speed != "38400,38400" || p.Display != "host:0.0" {
		t.Errorf("the server learnt %+v", p)
	}
	if !reflect.DeepEqual(p.Variables, client().Variables) || p.Mode != serverEnd().Mode || c.Peer.Mode != p.Mode {
		t.Errorf("the server learnt %+v", p)
	}
	for _, o := range append(serverEnd().Do, serverEnd().Will...) {
		ours, theirs := s.States(o)
		his, hers := c.States(o)
		if ours != hers || theirs != his || !ours.Settled() || !theirs.Settled() || ours == theirs && ours == telnet.No {
			t.Errorf("%v: %v and %v here, %v and %v there", o, ours, theirs, his, hers)
		}
	}
	s.RequestCharset()
	s.SetFlow(telnet.FlowRestartXON)
	c.SetWindow(80, 24)
	s.Write([]byte("\r\xff\x00"))
	c.Write([]byte{0xff, '\r', 'x'})
	toS, toC := converse(t, s, c)
	if s.Peer.Charset != "UTF-8" || c.Peer.Charset != "UTF-8" || c.Peer.Flow != telnet.FlowRestartXON || s.Peer.Width != 80 {
		t.Errorf("%+v and %+v", s.Peer, c.Peer)
	}
	if string(toS) != "\xff\rx" || string(toC) != "\r\xff\x00" {
		t.Errorf("binary data: %q and %q", toS, toC)
	}
	for i, ch := range s.Chars() {
		if got := c.Chars()[i]; got.Value != ch.Value {
			t.Errorf("character %d is %+v here and %+v there", i+1, ch, got)
		}
	}
}

// TestPassive: whoever wants nothing says nothing, refuses once, and sends no
// window nor anything else that was not asked for.
func TestPassive(t *testing.T) {
	n := telnet.NewNVT(telnet.Options{})
	n.SetWindow(80, 24)
	if b := n.Out(); len(b) > 0 {
		t.Errorf("it speaks first: %q", b)
	}
	feed(n, []byte("\xff\xfd\x1f\xff\xfb\x01\xff\xfa\x18\x01\xff\xf0\xff\xfa\x05\x01\xff\xf0\xff\xfa\x22\x03\x00\x03\x00\xff\xf0"))
	if got, want := n.Out(), []byte("\xff\xfc\x1f\xff\xfe\x01"); !bytes.Equal(got, want) {
		t.Errorf("it answers %q, want %q", got, want)
	}
	feed(n, []byte("\xff\xfe\x1f\xff\xfc\x01"))
	if b := n.Out(); len(b) > 0 {
		t.Errorf("what is off is refused again: %q", b)
	}
}

func TestTimingMark(t *testing.T) {
	a, b := telnet.NewNVT(telnet.Options{}), telnet.NewNVT(telnet.Options{})
	a.Ask(telnet.DO, telnet.TimingMark)
	feed(b, a.Out())
	answer := b.Out()
	if e, _ := a.Next(answer); e.Kind != telnet.Changed || e.Command != telnet.WILL || e.Option != telnet.TimingMark {
		t.Errorf("the mark came back as %+v", e)
	}
	feed(a, answer) // once more, unasked
	if got := a.Out(); string(got) != "\xff\xfe\x06" {
		t.Errorf("to a mark that was not asked for it says %q", got)
	}
}

func TestStatus(t *testing.T) {
	n := telnet.NewNVT(telnet.Options{Will: []telnet.Option{telnet.Status, telnet.Echo, 240}})
	feed(n, []byte("\xff\xfd\x05\xff\xfd\x01\xff\xfd\xf0"))
	n.Out()
	feed(n, []byte("\xff\xfa\x05\x01\xff\xf0"))
	if got, want := n.Out(), "\xff\xfa\x05\x00\xfb\x01\xfb\x05\xfb\xf0\xf0\xff\xf0"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestStartTLS brings two ends to the handshake.
func TestStartTLS(t *testing.T) {
	s, c := telnet.NewNVT(telnet.Options{Server: true, TLS: true}), telnet.NewNVT(telnet.Options{TLS: true})
	s.Ask(telnet.DO, telnet.StartTLS)
	converse(t, s, c)
	if !s.TLSFollows() || !c.TLSFollows() {
		t.Errorf("TLS follows: %v and %v", s.TLSFollows(), c.TLSFollows())
	}
}

// FuzzNVT gives an end any bytes, which it answers in proportion. Whatever state
// that has brought it to, it comes to rest with an end that has not heard of it.
// (What the bytes have it answer is dropped: to an end that has not asked, those
// answers are questions, and RFC 1143 lets two of them chase each other, as in
// DO and DONT that nobody sent.)
func FuzzNVT(f *testing.F) {
	f.Add([]byte("\xff\xfd\x1f\xff\xfb\x01\xff\xfa\x18\x01\xff\xf0"), true)
	f.Add([]byte("\xff\xfb\x22\xff\xfa\x22\x03\x0a\x02\x7f\xff\xf0\xff\xfa\x22\x01\x03\xff\xf0"), false)
	f.Add([]byte("\xff\xfd \xff\xfe "), false)
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		o, other := client(), serverEnd()
		if server {
			o, other = other, o
		}
		n, m := telnet.NewNVT(o), telnet.NewNVT(other)
		feed(n, b)
		out := n.Out()
		if len(out) > 64*(len(b)+1) {
			t.Fatalf("%d bytes were answered by %d", len(b), len(out))
		}
		for _, end := range []*telnet.NVT{n, m} {
			for _, opt := range serverEnd().Do {
				end.Ask(telnet.DO, opt)
				end.Ask(telnet.WILL, opt)
			}
		}
		converse(t, n, m)
	})
}
