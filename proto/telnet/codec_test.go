package telnet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/farend-go/farend/proto/telnet"
)

// heard writes down what a Decoder finds in a stream that comes in pieces of
// so many bytes: data in a row is one, however it came.
func heard(stream []byte, piece int, binary bool) (log string, data []byte) {
	d := telnet.Decoder{Binary: binary, Limit: 16}
	var run []byte
	flush := func() {
		if len(run) > 0 {
			log += fmt.Sprintf("%q ", run)
		}
		data, run = append(data, run...), nil
	}
	for len(stream) > 0 {
		n := min(piece, len(stream))
		part := bytes.Clone(stream[:n]) // nothing may be looked at again
		stream = stream[n:]
		for {
			e, rest := d.Next(part)
			if e.Kind == telnet.Nothing {
				break
			}
			if part = rest; e.Kind == telnet.Data {
				run = append(run, e.Data...)
				continue
			}
			flush()
			switch e.Kind {
			case telnet.Told:
				log += fmt.Sprintf("<%v> ", e.Command)
			case telnet.Negotiation:
				log += fmt.Sprintf("<%v %v> ", e.Command, e.Option)
			case telnet.Sub:
				log += fmt.Sprintf("<SB %v %q> ", e.Option, e.Data)
			case telnet.Overlong:
				log += fmt.Sprintf("<too long %v> ", e.Option)
			}
		}
	}
	flush()
	return log, data
}

func TestDecoder(t *testing.T) {
	for _, c := range []struct{ name, stream, want string }{
		{"data", "login: ", `"login: " `},
		{"255", "a\xff\xffb\xff\xff\xff\xff", `"a\xffb\xff\xff" `},
		{"CR NUL is CR", "a\r\x00b\r\nc\r\x00\x00d", `"a\rb\r\nc\r\x00d" `},
		{"CR and something else", "\rx\r\r\x00", `"\rx\r\r" `},
		{"NUL alone is data", "a\x00b", `"a\x00b" `},
		{"commands", "a\xff\xf6b\xff\xf4\xff\xf2\xff\xf9", `"a" <AYT> "b" <IP> <DM> <GA> `},
		{"a command between CR and NUL", "a\r\xff\xf1\x00b", `"a\r" <NOP> "b" `},
		{"negotiation", "\xff\xfd\x03\xff\xfb\x18\xff\xfc\xc8\xff\xfe\xff", `<DO SUPPRESS-GO-AHEAD> <WILL TERMINAL-TYPE> <WONT option 200> <DONT option 255> `},
		{"sub-negotiation", "x\xff\xfa\x18\x00VT100\xff\xf0y", `"x" <SB TERMINAL-TYPE "\x00VT100"> "y" `},
		{"255 inside, in the option too", "\xff\xfa\x1f\x00\xff\xff\x00\xff\xff\xff\xf0\xff\xfa\xff\xffz\xff\xf0", `<SB NAWS "\x00\xff\x00\xff"> <SB option 255 "z"> `},
		{"an empty one", "\xff\xfa\xff\xf0a", `"a" `},
		{"SE without SB", "a\xff\xf0b", `"ab" `},
		{"broken off by a command", "\xff\xfa\x18\x00VT\xff\xf6\xff\xfb\x01a", `<AYT> <WILL ECHO> "a" `},
		{"over the limit", "\xff\xfa\x270123456789abcdef0123\xff\xf0ok\xff\xfa\x180\xff\xf0", `<too long NEW-ENVIRON> "ok" <SB TERMINAL-TYPE "0"> `},
		{"just in the limit", "\xff\xfa\x270123456789abcde\xff\xff\xff\xf0", `<SB NEW-ENVIRON "0123456789abcde\xff"> `},
		{"a DM that went out of band", "a\xffb", `"ab" `},
	} {
		for piece := 1; piece <= len(c.stream); piece++ {
			if got, _ := heard([]byte(c.stream), piece, false); got != c.want {
				t.Errorf("%s, in pieces of %d:\n%s\nwant\n%s", c.name, piece, got, c.want)
			}
		}
	}
}

// TestEncoder has what is sent written out, however it was written.
func TestEncoder(t *testing.T) {
	for _, c := range []struct {
		binary     bool
		data, want string
	}{
		{false, "a\r\nb\rc\nd\r", "a\r\nb\r\x00c\nd\r\x00"},
		{false, "\r\r\n\r\x00", "\r\x00\r\n\r\x00\x00"},
		{false, "\xff\r\xff", "\xff\xff\r\x00\xff\xff"},
		{true, "a\r\xffb\r\n\r", "a\r\xff\xffb\r\n\r"},
	} {
		for piece := 1; piece <= len(c.data); piece++ {
			e := telnet.Encoder{Binary: c.binary}
			var got []byte
			for rest := c.data; rest != ""; {
				n := min(piece, len(rest))
				got = e.Append(got, []byte(rest[:n]))
				rest = rest[n:]
			}
			if got = e.End(got); string(got) != c.want {
				t.Errorf("%q in pieces of %d: %q, want %q", c.data, piece, got, c.want)
			}
		}
	}
}

// TestEverySize sends 255s through sub-negotiations of every size up to the
// limit, and through data.
func TestEverySize(t *testing.T) {
	for n := range 300 {
		body := bytes.Repeat([]byte{0xff}, n)
		d := telnet.Decoder{Limit: 300}
		e, rest := d.Next(telnet.AppendSub(nil, telnet.TTYPE, body))
		if e.Kind != telnet.Sub || !bytes.Equal(e.Data, body) || len(rest) != 0 {
			t.Fatalf("%d of 255: kind %d, %d bytes and %d behind", n, e.Kind, len(e.Data), len(rest))
		}
		var enc telnet.Encoder
		if _, got := heard(enc.Append(nil, body), 7, false); !bytes.Equal(got, body) {
			t.Fatalf("%d of 255 as data: %q", n, got)
		}
	}
}

func FuzzCodec(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\xff\xff\x00\r"), uint64(1), false)
	f.Add([]byte("\xff\xf0\xff\xfa\r\x00"), uint64(2), true)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, binary bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		e := telnet.Encoder{Binary: binary}
		var wire []byte
		for rest := data; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			wire = e.Append(wire, rest[:n])
			rest = rest[n:]
		}
		wire = e.End(wire)
		if _, got := heard(wire, 1+r.IntN(9), binary); !bytes.Equal(got, data) {
			t.Fatalf("%q became %q", data, got)
		}
		whole, _ := heard(data, max(len(data), 1), binary)
		if cut, _ := heard(data, 1+r.IntN(3), binary); cut != whole {
			t.Fatalf("%q is\n%s\nand cut it is\n%s", data, whole, cut)
		}
		d := telnet.Decoder{Limit: len(data)}
		if s, rest := d.Next(telnet.AppendSub(nil, telnet.Charset, data)); len(data) > 0 && (!bytes.Equal(s.Data, data) || len(rest) > 0) {
			t.Fatalf("sub-negotiation %q became %q", data, s.Data)
		}
	})
}
