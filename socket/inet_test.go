package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestByteOrder(t *testing.T) {
	want := []byte{0x12, 0x34, 0x56, 0x78}
	if got := binary.NativeEndian.AppendUint32(nil, Htonl(0x12345678)); !bytes.Equal(got, want) {
		t.Errorf("Htonl lies in memory as %x", got)
	}
	if got := binary.NativeEndian.AppendUint16(nil, Htons(0x1234)); !bytes.Equal(got, want[:2]) {
		t.Errorf("Htons lies in memory as %x", got)
	}
	if Ntohl(Htonl(0xdeadbeef)) != 0xdeadbeef || Ntohs(Htons(0xbeef)) != 0xbeef {
		t.Error("there and back is not the same number")
	}
}

func TestInetText(t *testing.T) {
	for text, family := range map[string]Family{
		"127.0.0.1": AF_INET, "::": AF_INET6, "::1": AF_INET6, "2001:db8::1": AF_INET6, "::ffff:1.2.3.4": AF_INET6,
		"::1.2.3.4": AF_INET6, "1:2:3:4:5:6:7:8": AF_INET6, "::0.1.0.0": AF_INET6, "1:0:0:1::": AF_INET6,
	} {
		raw, err := InetPton(family, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if back, err := InetNtop(family, raw); err != nil || back != text {
			t.Errorf("%s came back as %s, %v", text, back, err)
		}
	}
	for text, family := range map[string]Family{"127.1": AF_INET, "::1": AF_INET, "1.2.3.4": AF_INET6, "fe80::1%1": AF_INET6, "": AF_INET, "1:2": AF_INET6} {
		if raw, err := InetPton(family, text); !errors.Is(err, ErrInetText) {
			t.Errorf("%q, %v: got %x, %v", text, family, raw, err)
		}
	}
	if _, err := InetNtop(AF_INET, make([]byte, 16)); !errors.Is(err, ErrInetText) {
		t.Errorf("16 bytes of IPv4: %v", err)
	}
	if _, err := InetPton(AF_UNIX, "x"); !errors.Is(err, EAI_FAMILY) {
		t.Errorf("AF_UNIX: %v", err)
	}
	if _, err := InetNtop(AF_UNIX, nil); !errors.Is(err, EAI_FAMILY) {
		t.Errorf("AF_UNIX: %v", err)
	}
	quad, err := InetAton("127.1")
	if err != nil || InetNtoa(quad) != "127.0.0.1" {
		t.Errorf("got %v, %v", quad, err)
	}
	if _, err := InetAton("localhost"); !errors.Is(err, ErrInetText) {
		t.Errorf("a name: %v", err)
	}
}
