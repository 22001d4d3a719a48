package telnet

import "slices"

// Options say what one end agrees to. The zero Options refuse every option, as
// Python's telnetlib does: whatever stays off needs no answer but one.
type Options struct {
	// Will are options that we switch on when the peer asks (DO), and Do those
	// that the peer may (WILL). The fields below add what they make possible.
	Will, Do []Option

	Terminals []string   // our terminal's names, the best one first: TTYPE (RFC 1091, MTTS)
	Window    bool       // NVT.SetWindow tells the size of our window: NAWS
	Speed     string     // of our terminal, as in "38400,38400": TSPEED
	Display   string     // of X, as in "host:0.0": XDISPLOC
	Variables []Variable // of our environment, for who asks: NEW-ENVIRON
	Charsets  []string   // that we speak, the best one first: CHARSET
	Editing   bool       // lines are edited here, as the peer says: LINEMODE
	Flow      bool       // flow control is done here, as the peer says: LFLOW
	Chars     []Char     // our control characters, for LINEMODE; none: the peer's are taken

	// Server is the end to which somebody connected. It asks for TTYPE and its
	// kin as soon as the peer offers them, and decides where both ends would.
	Server bool
	// Mode is how lines are to be edited at the client: LINEMODE. It is the
	// server's to say.
	Mode Mode
	// TLS makes START_TLS possible.
	TLS bool
	// Limit is how many bytes a sub-negotiation may have; 0: DefaultLimit.
	Limit int
}

// spec is what an option is to an NVT. The zero spec is one that means nothing
// to us.
type spec struct {
	name string
	able func(o *Options) bool          // we can do it; nil: Will says so
	on   func(n *NVT, ours bool)        // it has been switched on
	sub  func(n *NVT, data []byte)      // a sub-negotiation has come
	lets func(o *Options, is bool) bool // the peer may; nil: Do says so
}

// specOf is the table of options.
func specOf(o Option) spec {
	switch o {
	case Binary:
		return spec{name: "BINARY"}
	case Echo:
		return spec{name: "ECHO"}
	case SGA:
		return spec{name: "SUPPRESS-GO-AHEAD"}
	case Status:
		return spec{name: "STATUS", sub: (*NVT).subStatus}
	case TimingMark:
		return spec{name: "TIMING-MARK"}
	case EndRecord:
		return spec{name: "END-OF-RECORD"}
	case NAWS:
		return spec{name: "NAWS", able: func(o *Options) bool { return o.Window }, on: (*NVT).onWindow, sub: (*NVT).subWindow}
	case TTYPE:
		return spec{name: "TERMINAL-TYPE", able: func(o *Options) bool { return len(o.Terminals) > 0 }, on: (*NVT).onTerminal, sub: (*NVT).subTerminal}
	case TSPEED:
		return spec{
			name: "TERMINAL-SPEED", able: func(o *Options) bool { return o.Speed != "" },
			on:  asks(TSPEED),
			sub: func(n *NVT, b []byte) { n.subText(TSPEED, b, n.o.Speed, &n.Peer.Speed) },
		}
	case XDISPLOC:
		return spec{
			name: "X-DISPLAY-LOCATION", able: func(o *Options) bool { return o.Display != "" },
			on:  asks(XDISPLOC),
			sub: func(n *NVT, b []byte) { n.subText(XDISPLOC, b, n.o.Display, &n.Peer.Display) },
		}
	case LFLOW:
		return spec{name: "TOGGLE-FLOW-CONTROL", able: func(o *Options) bool { return o.Flow }, sub: (*NVT).subFlow}
	case Linemode:
		return spec{name: "LINEMODE", able: func(o *Options) bool { return o.Editing }, on: (*NVT).onLinemode, sub: (*NVT).subLinemode}
	case NewEnviron:
		return spec{name: "NEW-ENVIRON", able: func(o *Options) bool { return len(o.Variables) > 0 }, on: asks(NewEnviron), sub: (*NVT).subEnviron}
	case Charset:
		can := func(o *Options) bool { return len(o.Charsets) > 0 }
		return spec{name: "CHARSET", able: can, lets: func(o *Options, is bool) bool { return is || can(o) }, sub: (*NVT).subCharset}
	case StartTLS:
		return spec{
			name: "START-TLS", able: func(o *Options) bool { return o.TLS && !o.Server },
			lets: func(o *Options, is bool) bool { return o.Server && o.TLS },
			on:   (*NVT).onTLS, sub: (*NVT).subTLS,
		}
	}
	return spec{}
}

// welcome tells whether we would have an option on.
func (n *NVT) welcome(ours bool, o Option) bool {
	s := specOf(o)
	if ours {
		return slices.Contains(n.o.Will, o) || s.able != nil && s.able(&n.o)
	}
	is := slices.Contains(n.o.Do, o)
	if s.lets != nil {
		return s.lets(&n.o, is)
	}
	return is
}

// asks has a server ask for what an option tells, once the peer offers it.
func asks(o Option) func(n *NVT, ours bool) {
	return func(n *NVT, ours bool) {
		if !ours && n.o.Server {
			n.Sub(o, []byte{subSend})
		}
	}
}
