package telnet

// Mode is LINEMODE's mask (RFC 1184 section 2.2).
type Mode byte

// The bits of a Mode.
const (
	ModeEdit    Mode = 1  // the client edits the line
	ModeTrapSig Mode = 2  // the client makes commands of its signals
	modeAck     Mode = 4  // the mode has been taken
	ModeSoftTab Mode = 8  // the client expands tabs
	ModeLitEcho Mode = 16 // the client echoes what cannot be printed as it is
)

// The codes inside LINEMODE.
const (
	lineMode    = 1
	forwardMask = 2
	lineSLC     = 3
)

// The functions that have a character (RFC 1184 section 2.4).
const (
	SLCSynch byte = 1 + iota
	SLCBreak
	SLCIP
	SLCAO
	SLCAYT
	SLCEOR
	SLCAbort
	SLCEOF
	SLCSusp
	SLCEC
	SLCEL
	SLCEW
	SLCRP
	SLCLNext
	SLCXON
	SLCXOFF
	SLCForw1
	SLCForw2
	lastChar = SLCForw2
)

// The levels of a Char, and the bits beside them.
const (
	SLCNoSupport  byte = 0
	SLCCantChange byte = 1
	SLCValue      byte = 2
	SLCDefault    byte = 3
	SLCFlushOut   byte = 32
	SLCFlushIn    byte = 64
	slcAck        byte = 128
	slcLevel      byte = 3
)

// A Char is what a function is typed with.
type Char struct {
	Function byte
	Flags    byte // a level, and SLCFlushIn and SLCFlushOut
	Value    byte
}

// usualChars are those of Options, or for a server those of most terminals.
func usualChars(o Options) (all [lastChar + 1]Char) {
	for i := range all {
		all[i].Function = byte(i)
	}
	from := o.Chars
	if len(from) == 0 && o.Server {
		from = []Char{
			{SLCIP, SLCValue | SLCFlushIn | SLCFlushOut, 3}, {SLCAbort, SLCValue | SLCFlushIn | SLCFlushOut, 28},
			{SLCEOF, SLCValue, 4}, {SLCSusp, SLCValue, 26}, {SLCEC, SLCValue, 127}, {SLCEL, SLCValue, 21},
			{SLCEW, SLCValue, 23}, {SLCRP, SLCValue, 18}, {SLCLNext, SLCValue, 22},
		}
	}
	for _, c := range from {
		if c.Function > 0 && c.Function <= lastChar {
			c.Flags &^= slcAck
			all[c.Function] = c
		}
	}
	return all
}

// Chars are the control characters in force.
func (n *NVT) Chars() []Char { return append([]Char(nil), n.chars[1:]...) }

// onLinemode: the server says how to edit, the client tells its characters or
// asks for the server's (RFC 1184 section 2.4).
func (n *NVT) onLinemode(ours bool) {
	switch {
	case !ours && n.o.Server:
		n.SetMode(n.o.Mode)
	case ours && len(n.o.Chars) > 0:
		n.sendChars()
	case ours:
		n.Sub(Linemode, []byte{lineSLC, 0, SLCDefault, 0})
	}
}

// SetMode tells the client how lines are to be edited there, where LINEMODE is
// on. Peer.Mode has it when the client has taken it.
func (n *NVT) SetMode(m Mode) {
	if n.Theirs(Linemode) {
		n.mode = m &^ modeAck
		n.Sub(Linemode, []byte{lineMode, byte(n.mode)})
	}
}

func (n *NVT) subLinemode(b []byte) {
	if len(b) < 2 || !n.Ours(Linemode) && !n.Theirs(Linemode) {
		return
	}
	switch {
	case b[0] == lineMode:
		n.moded(Mode(b[1]))
	case b[0] == lineSLC:
		n.charsCame(b[1:])
	case Command(b[0]) == DO && b[1] == forwardMask && n.Ours(Linemode):
		n.Sub(Linemode, []byte{byte(WONT), forwardMask})
	case Command(b[0]) == WILL && b[1] == forwardMask && n.Theirs(Linemode):
		n.Sub(Linemode, []byte{byte(DONT), forwardMask})
	}
}

// moded takes a mode at the client, or its acknowledgement at the server. One
// with the bit of an acknowledgement is never answered (section 2.2).
func (n *NVT) moded(m Mode) {
	switch {
	case n.Theirs(Linemode) && n.o.Server:
		if m&modeAck != 0 {
			n.Peer.Mode = m &^ modeAck
		}
	case m&modeAck == 0 && m != n.mode:
		n.mode, n.Peer.Mode = m, m
		n.Sub(Linemode, []byte{lineMode, byte(m | modeAck)})
	}
}

func (n *NVT) sendChars() {
	b := []byte{lineSLC}
	for _, c := range n.chars[1:] {
		if c.Flags&slcLevel == SLCNoSupport && n.o.Server {
			c = Char{c.Function, SLCDefault, 0} // the client may have its own
		}
		b = append(b, c.Function, c.Flags, c.Value)
	}
	n.Sub(Linemode, b)
}

// charsCame is section 5.5: what is the same is ignored, what is news is taken
// and acknowledged, so that the two ends come to rest.
func (n *NVT) charsCame(b []byte) {
	var reply []byte
	for ; len(b) >= 3; b = b[3:] {
		c := Char{b[0], b[1], b[2]}
		if c.Function == 0 {
			n.charsAsked(c.Flags & slcLevel)
			continue
		}
		if c.Function > lastChar {
			if c.Flags&(slcAck|slcLevel) != 0 {
				reply = append(reply, c.Function, SLCNoSupport, 0)
			}
			continue
		}
		if answer, ok := n.charCame(c); ok {
			reply = append(reply, answer.Function, answer.Flags, answer.Value)
		}
	}
	if len(reply) > 0 {
		n.Sub(Linemode, append([]byte{lineSLC}, reply...))
	}
}

func (n *NVT) charsAsked(level byte) {
	if !n.o.Server {
		return // only a client may ask so
	}
	if level == SLCDefault {
		n.chars = usualChars(n.o)
	}
	n.sendChars()
}

// charCame takes one character, and gives the answer to it.
func (n *NVT) charCame(c Char) (answer Char, ok bool) {
	have := &n.chars[c.Function]
	plain := c
	plain.Flags &^= slcAck
	switch {
	case plain == *have:
		return c, false
	case c.Flags&slcAck != 0:
		if !n.o.Server && c.Flags&slcLevel == have.Flags&slcLevel {
			*have = plain
		}
		return c, false
	case c.Flags&slcLevel == SLCDefault: // as ours is
		if have.Flags&slcLevel == SLCDefault {
			return c, false
		}
		return *have, true
	case have.Flags&slcLevel == SLCCantChange && c.Value != have.Value && c.Flags&slcLevel == SLCValue:
		return *have, true
	case have.Flags&slcLevel == SLCCantChange && c.Value != have.Value && c.Flags&slcLevel == SLCCantChange:
		*have = Char{c.Function, SLCNoSupport, 0} // neither can, so nobody has it
		return *have, true
	}
	*have = plain
	return Char{c.Function, plain.Flags | slcAck, c.Value}, true
}
