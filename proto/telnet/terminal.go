package telnet

import (
	"encoding/binary"
	"slices"
	"strings"
)

// SetWindow tells the size of our window in characters, at once where NAWS is
// on, or when it comes on (RFC 1073). What does not fit in 16 bits is 0:
// nobody knows.
func (n *NVT) SetWindow(width, height int) {
	n.width, n.height = width, height
	if n.Ours(NAWS) {
		n.onWindow(true)
	}
}

func (n *NVT) onWindow(ours bool) {
	if ours {
		n.Sub(NAWS, AppendWindow(nil, n.width, n.height))
	}
}

func (n *NVT) subWindow(b []byte) {
	if w, h, ok := ParseWindow(b); ok && n.Theirs(NAWS) {
		n.Peer.Width, n.Peer.Height = w, h
	}
}

// AppendWindow appends a size as NAWS has it, before 255s are doubled.
func AppendWindow(b []byte, width, height int) []byte {
	for _, v := range [...]int{width, height} {
		if v < 0 || v > 0xffff {
			v = 0
		}
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// ParseWindow reads it.
func ParseWindow(b []byte) (width, height int, ok bool) {
	if len(b) != 4 {
		return 0, 0, false
	}
	return int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])), true
}

// mostTerminals is how many names a terminal may have.
const mostTerminals = 16

func (n *NVT) onTerminal(ours bool) {
	if !ours && n.o.Server {
		n.Sub(TTYPE, []byte{subSend})
	}
}

// subTerminal tells our terminal's next name, or learns the peer's. The last
// name is told twice, and after that the first again (RFC 1091).
func (n *NVT) subTerminal(b []byte) {
	switch {
	case len(b) == 1 && b[0] == subSend && n.Ours(TTYPE) && len(n.o.Terminals) > 0:
		n.named++
		at := n.named - 1
		if at == len(n.o.Terminals) {
			at, n.named = at-1, 0
		}
		n.Sub(TTYPE, append([]byte{subIs}, n.o.Terminals[at]...))
	case len(b) > 0 && b[0] == subIs && n.Theirs(TTYPE) && !n.Peer.Named:
		name := printable(b[1:])
		n.Peer.Named = slices.Contains(n.Peer.Terminals, name)
		if !n.Peer.Named {
			n.Peer.Terminals = append(n.Peer.Terminals, name)
		}
		if n.Peer.Named = n.Peer.Named || len(n.Peer.Terminals) == mostTerminals; !n.Peer.Named {
			n.Sub(TTYPE, []byte{subSend})
		}
	}
}

// printable is text of the peer's without what is not ASCII to be seen.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b))
}

// subText tells a text of ours, or learns the peer's: TSPEED and XDISPLOC (RFC
// 1079, RFC 1096).
func (n *NVT) subText(o Option, b []byte, ours string, theirs *string) {
	switch {
	case len(b) == 1 && b[0] == subSend && n.Ours(o):
		n.Sub(o, append([]byte{subIs}, ours...))
	case len(b) > 0 && b[0] == subIs && n.Theirs(o):
		*theirs = printable(b[1:])
	}
}

// Flow is how a terminal stops its output (RFC 1372). The zero Flow is not
// told.
type Flow uint8

// The ways.
const (
	FlowOff        Flow = 1 + iota // XOFF and XON go to the server
	FlowOn                         // they are the client's
	FlowRestartAny                 // any key goes on
	FlowRestartXON                 // XON goes on
)

func (n *NVT) subFlow(b []byte) {
	if len(b) == 1 && b[0] <= 3 && n.Ours(LFLOW) {
		n.Peer.Flow = Flow(b[0] + 1)
	}
}

// SetFlow tells the peer how to stop its output, where LFLOW is on there.
func (n *NVT) SetFlow(f Flow) {
	if n.Theirs(LFLOW) && f >= FlowOff && f <= FlowRestartXON {
		n.Sub(LFLOW, []byte{byte(f) - 1})
	}
}

// subStatus tells what is on (RFC 859): the option's number alone where that is
// the end of a sub-negotiation is doubled.
func (n *NVT) subStatus(b []byte) {
	if len(b) != 1 || b[0] != subSend || !n.Ours(Status) {
		return
	}
	list := []byte{subIs}
	add := func(c Command, o int) {
		if list = append(list, byte(c), byte(o)); Command(o) == SE {
			list = append(list, byte(SE))
		}
	}
	for o := range n.us {
		if n.Ours(Option(o)) {
			add(WILL, o)
		}
		if n.Theirs(Option(o)) {
			add(DO, o)
		}
	}
	n.Sub(Status, list)
}
