package telnet

import "bytes"

// Kind is what an Event is.
type Kind uint8

// The kinds.
const (
	Nothing     Kind = iota // the input is used up
	Data                    // Data: bytes for the user of the connection
	Told                    // Command: one without an option
	Negotiation             // Command, Option: WILL, WONT, DO or DONT
	Sub                     // Option, Data: a sub-negotiation, its 255s single
	Overlong                // Option: a sub-negotiation over the limit; it was dropped
	Changed                 // Command, Option: from NVT only: WILL or WONT, DO or DONT has become true
)

// An Event is one thing that a Decoder has found. Data is valid until the next
// call.
type Event struct {
	Kind    Kind
	Command Command
	Option  Option
	Data    []byte
}

// DefaultLimit is how many bytes a sub-negotiation may have where nothing else
// is said.
const DefaultLimit = 8192

// A Decoder takes the bytes of a Telnet stream apart, cut anywhere (RFC 854).
// It copies no data: runs of it are given as they lie in the input. The zero
// Decoder is at the beginning of a stream.
type Decoder struct {
	Binary bool // CR is a byte like any other (RFC 856)
	Limit  int  // bytes of a sub-negotiation; 0: DefaultLimit

	state   decoding
	cr      bool // the last byte of data was CR
	command Command
	sub     []byte
	dropped bool // sub is over the limit
}

type decoding uint8

const (
	inData decoding = iota
	afterIAC
	afterVerb // WILL, WONT, DO, DONT
	inSub
	inSubIAC
)

// Next finds the first event in b and gives the bytes behind it. Kind Nothing:
// b is used up, and more is needed. Of data CR LF is given as it is; the NUL
// that makes CR a mere carriage return is taken away.
func (d *Decoder) Next(b []byte) (e Event, rest []byte) {
	for len(b) > 0 {
		if d.state == inData && b[0] != iac {
			if e, b = d.data(b); e.Kind != Nothing {
				return e, b
			}
			continue
		}
		if d.state == inSub {
			if b = d.inside(b); len(b) == 0 {
				break
			}
		}
		c := b[0]
		b = b[1:]
		switch d.state {
		case inData:
			d.state = afterIAC
		case inSub: // inside stopped at an IAC
			d.state = inSubIAC
		case afterVerb:
			d.state = inData
			return Event{Kind: Negotiation, Command: d.command, Option: Option(c)}, b
		case inSubIAC:
			if c == iac {
				d.keep(iac)
				d.state = inSub
				continue
			}
			if Command(c) == SE {
				d.state = inData
				if e := d.whole(); e.Kind != Nothing {
					return e, b
				}
				continue
			}
			fallthrough // a command inside: the sub-negotiation is broken off
		case afterIAC:
			if e := d.verb(c); e.Kind != Nothing {
				return e, b
			}
		}
	}
	return Event{}, nil
}

// data gives the run of data at the front of b, which is no IAC.
func (d *Decoder) data(b []byte) (Event, []byte) {
	if d.Binary {
		n := bytes.IndexByte(b, iac)
		if n < 0 {
			n = len(b)
		}
		d.cr = false
		return Event{Kind: Data, Data: b[:n]}, b[n:]
	}
	if d.cr && b[0] == 0 {
		d.cr = false
		return Event{}, b[1:]
	}
	n := plain(b)
	for n+1 < len(b) && b[n] == '\r' && b[n+1] == '\n' {
		n += 2 + plain(b[n+2:])
	}
	if d.cr = n < len(b) && b[n] == '\r'; d.cr {
		n++ // the run ends with it: a NUL may follow
	}
	return Event{Kind: Data, Data: b[:n]}, b[n:]
}

// verb takes the byte behind IAC.
func (d *Decoder) verb(c byte) Event {
	d.state = inData
	switch v := Command(c); {
	case v == IAC:
		d.cr = false
		return Event{Kind: Data, Data: singles[iac:]}
	case v == SB:
		d.state, d.sub, d.dropped = inSub, d.sub[:0], false
	case v.negotiates():
		d.state, d.command = afterVerb, v
	case v < EOF:
		// No command: what was one has been taken away, as the DM of a Synch is
		// where urgent data does not come in line. The byte is data.
		d.cr = false
		one := singles[c : c+1]
		return Event{Kind: Data, Data: one}
	case v != SE: // nothing has begun that it could end
		return Event{Kind: Told, Command: v}
	}
	return Event{}
}

// singles is every byte once.
var singles = func() (b [256]byte) {
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

// inside keeps what comes before the next IAC.
func (d *Decoder) inside(b []byte) []byte {
	n := bytes.IndexByte(b, iac)
	if n < 0 {
		n = len(b)
	}
	d.keep(b[:n]...)
	return b[n:]
}

// keep adds to the sub-negotiation, up to the limit and the option itself.
func (d *Decoder) keep(b ...byte) {
	limit := d.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	if room := limit + 1 - len(d.sub); len(b) > room {
		b, d.dropped = b[:room], true
	}
	d.sub = append(d.sub, b...)
}

// whole is the sub-negotiation that has come.
func (d *Decoder) whole() Event {
	if len(d.sub) == 0 {
		return Event{}
	}
	e := Event{Kind: Sub, Command: SB, Option: Option(d.sub[0]), Data: d.sub[1:]}
	if d.dropped {
		e.Kind, e.Data = Overlong, nil
	}
	return e
}

// An Encoder makes data ready for a Telnet stream. The zero Encoder is at the
// beginning of one.
type Encoder struct {
	Binary bool // CR is a byte like any other (RFC 856)

	cr bool // a CR was sent, and neither LF nor NUL behind it
}

// Append appends data: 255 doubled, and behind a CR that no LF follows a NUL.
// LF alone stays alone. After a CR at the end of data it depends on what comes
// next; End says that nothing does.
func (e *Encoder) Append(b, data []byte) []byte {
	for len(data) > 0 {
		if e.cr && data[0] != '\n' {
			b = append(b, 0)
		}
		e.cr = false
		n := e.run(data)
		b = append(b, data[:n]...)
		if n == len(data) {
			e.cr = !e.Binary && data[n-1] == '\r'
			return b
		}
		c := data[n]
		data = data[n+1:]
		b = append(b, c)
		if c == iac {
			b = append(b, iac)
			continue
		}
		e.cr = true
	}
	return b
}

// run is how many bytes of data are sent as they are.
func (e *Encoder) run(data []byte) int {
	if e.Binary {
		if n := bytes.IndexByte(data, iac); n >= 0 {
			return n
		}
		return len(data)
	}
	return plain(data)
}

// plain is how many bytes come before the first 255 or CR. It looks at a window
// at a time, lest the one that is rare be looked for again behind each of the
// other.
func plain(b []byte) int {
	const window = 512
	for n := 0; ; {
		w := b[n:min(n+window, len(b))]
		if at := bytes.IndexByte(w, iac); at >= 0 {
			w = w[:at]
		}
		if at := bytes.IndexByte(w, '\r'); at >= 0 {
			return n + at
		}
		if n += len(w); n == len(b) || b[n] == iac {
			return n
		}
	}
}

// End completes a CR that was the last byte.
func (e *Encoder) End(b []byte) []byte {
	if e.cr {
		b = append(b, 0)
	}
	e.cr = false
	return b
}

// AppendCommand appends a command without an option.
func AppendCommand(b []byte, c Command) []byte { return append(b, iac, byte(c)) }

// AppendNegotiation appends WILL, WONT, DO or DONT.
func AppendNegotiation(b []byte, c Command, o Option) []byte {
	return append(b, iac, byte(c), byte(o))
}

// AppendSub appends a sub-negotiation; a 255 in it, the option included, is
// doubled.
func AppendSub(b []byte, o Option, data []byte) []byte {
	b = append(b, iac, byte(SB))
	b = appendDoubled(b, []byte{byte(o)})
	b = appendDoubled(b, data)
	return append(b, iac, byte(SE))
}

func appendDoubled(b, data []byte) []byte {
	for _, c := range data {
		if b = append(b, c); c == iac {
			b = append(b, iac)
		}
	}
	return b
}
