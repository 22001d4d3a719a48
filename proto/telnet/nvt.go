package telnet

import (
	"errors"
	"strings"
)

// An NVT is one end of a Telnet conversation without its connection: it is
// given what has come, and keeps what is to be sent. Client and Handler stand
// on it. It is for one goroutine at a time.
type NVT struct {
	Peer Peer // what the peer has told of itself

	o       Options
	dec     Decoder
	enc     Encoder
	us, him [256]State
	out     []byte

	width, height int
	named         int // which of our terminals was told last, from 1
	marks         int // timing marks that have not come back
	requested     bool
	follows       [2]bool // FOLLOWS was said: theirs, ours
	last          []byte  // what is still to be sent up to our FOLLOWS
	held          []byte  // data for behind the handshake
	mode          Mode
	chars         [lastChar + 1]Char
	cr            bool // the text that was written last ended with CR
	synch         bool // data is thrown away
	ahead         bool // urgent data lies ahead
}

// Peer is what an NVT has learnt.
type Peer struct {
	Width, Height int        // of the window, in characters; 0: not told
	Terminals     []string   // the names of its terminal, in the order told
	Named         bool       // all of them have been told
	Speed         string     // as in "38400,38400"
	Display       string     // as in "host:0.0"
	Variables     []Variable // of its environment
	Charset       string     // that was agreed upon
	Mode          Mode       // LINEMODE's, as it was acknowledged
	Flow          Flow       // that it wants of us
}

// NewNVT is an end at the beginning of a conversation.
func NewNVT(o Options) *NVT {
	n := &NVT{}
	n.Reset(o)
	return n
}

// Reset begins anew: nothing is on and nothing is known. Of what is to be sent
// only data stays that was written while TLS followed.
func (n *NVT) Reset(o Options) {
	held := n.held
	*n = NVT{o: o, out: n.out[:0]}
	n.dec.Limit = o.Limit
	n.chars = usualChars(o)
	n.out = n.enc.Append(n.out, held)
}

// Next finds the first event in b, what the peer has sent, and gives the bytes
// behind it. Negotiations are answered, see Out. Kind Nothing: b is used up.
func (n *NVT) Next(b []byte) (e Event, rest []byte) {
	e, rest = n.dec.Next(b)
	for n.dropped(e) {
		e, rest = n.dec.Next(rest)
	}
	switch e.Kind {
	case Negotiation:
		e = n.negotiated(e)
	case Sub:
		if f := specOf(e.Option).sub; f != nil {
			f(n, e.Data)
		}
	}
	return e, rest
}

// Out is what is to be sent, and is the caller's from now on.
func (n *NVT) Out() []byte {
	var b []byte
	_ = n.Take(func(out []byte) error { // which does not fail
		b, n.out, n.last = out, nil, nil
		return nil
	})
	return b
}

// Take gives what is to be sent to send, which does not keep it.
func (n *NVT) Take(send func([]byte) error) error {
	if n.follows[1] { // behind our FOLLOWS nothing is said in clear
		last := n.last
		if n.last, n.out = nil, n.out[:0]; len(last) == 0 {
			return nil
		}
		return send(last)
	}
	n.out = n.enc.End(n.out)
	if len(n.out) == 0 {
		return nil
	}
	err := send(n.out)
	if n.out = n.out[:0]; cap(n.out) > keptOut {
		n.out = nil
	}
	return err
}

// keptOut is the largest storage for output that is kept.
const keptOut = 64 << 10

// Write takes data, to be sent. It never fails.
func (n *NVT) Write(b []byte) (int, error) {
	if n.follows[1] {
		n.held = append(n.held, b...)
		return len(b), nil
	}
	n.out = n.enc.Append(n.out, b)
	return len(b), nil
}

// WriteText takes text whose lines end with LF, to be sent with CR LF. On a
// connection that is binary that is so too. Text may come in pieces.
func (n *NVT) WriteText(text string) {
	for {
		at := strings.IndexByte(text, '\n')
		if at < 0 {
			break
		}
		line := text[:at]
		if at > 0 && text[at-1] != '\r' || at == 0 && !n.cr {
			_, _ = n.Write(append([]byte(line), '\r', '\n')) // it never fails
		} else {
			_, _ = n.Write([]byte(text[:at+1]))
		}
		text, n.cr = text[at+1:], false
	}
	if text != "" {
		_, _ = n.Write([]byte(text))
		n.cr = text[len(text)-1] == '\r'
	}
}

// Tell sends a command without an option: AYT, IP, GA.
func (n *NVT) Tell(c Command) { n.out = AppendCommand(n.out, c) }

// Sub sends a sub-negotiation.
func (n *NVT) Sub(o Option, data []byte) { n.out = AppendSub(n.out, o, data) }

// ErrAsk is a word with which nothing can be asked.
var ErrAsk = errors.New("telnet: no WILL, WONT, DO or DONT")

// Ask wants an option on or off: WILL and WONT are about what we do, DO and
// DONT about the peer. What is so already, or under way, is not asked again.
// DO TimingMark always is: WILL or WONT come back when the peer has dealt with
// all that was sent before (RFC 860).
func (n *NVT) Ask(c Command, o Option) error {
	if !c.negotiates() {
		return ErrAsk
	}
	if o == TimingMark {
		if c == DO {
			n.marks++
			n.out = AppendNegotiation(n.out, DO, o)
		}
		return nil
	}
	by := AskNo
	if c == WILL || c == DO {
		by = AskYes
	}
	n.step(c == WILL || c == WONT, o, by)
	return nil
}

// Ours tells whether we have an option on.
func (n *NVT) Ours(o Option) bool { return n.us[o] == Yes }

// Theirs tells whether the peer has. What it has been asked to switch off is on
// until it says so.
func (n *NVT) Theirs(o Option) bool { return isTheirs(n.him[o]) }

func isTheirs(s State) bool { return s == Yes || s == WantNo || s == WantNoOpposite }

// States are how far the two sides of an option have been agreed upon.
func (n *NVT) States(o Option) (ours, theirs State) { return n.us[o], n.him[o] }

// negotiated answers a WILL, WONT, DO or DONT. The event becomes Changed where
// it has made a difference.
func (n *NVT) negotiated(e Event) Event {
	if e.Option == TimingMark {
		return n.marked(e)
	}
	ours := e.Command == DO || e.Command == DONT
	by := Denied
	if e.Command == DO || e.Command == WILL {
		if by = Refused; n.welcome(ours, e.Option) {
			by = Agreed
		}
	}
	if n.step(ours, e.Option, by) {
		e.Kind = Changed
	}
	return e
}

// marked answers DO TIMING-MARK, always: all that came before has been given to
// the caller. It is no state (RFC 860).
func (n *NVT) marked(e Event) Event {
	switch {
	case e.Command == DO:
		n.out = AppendNegotiation(n.out, WILL, e.Option)
	case e.Command == DONT:
	case n.marks > 0:
		n.marks--
		e.Kind = Changed
	case e.Command == WILL: // nobody has asked for it
		n.out = AppendNegotiation(n.out, DONT, e.Option)
	}
	return e
}

// step moves one side of an option, says what the step wants said, and tells
// whether that side is now on or off that was not.
func (n *NVT) step(ours bool, o Option, by Stimulus) bool {
	side, words, is := &n.him[o], [...]Command{Positive: DO, Negative: DONT}, isTheirs
	if ours {
		side, words, is = &n.us[o], [...]Command{Positive: WILL, Negative: WONT}, func(s State) bool { return s == Yes }
	}
	before := is(*side)
	next, say := side.Step(by)
	*side = next
	after := is(next)
	if o == Binary && ours && before != after {
		n.out = n.enc.End(n.out)
	}
	if say != Silent {
		n.out = AppendNegotiation(n.out, words[say], o)
	}
	if before == after {
		return false
	}
	if o == Binary && ours {
		n.enc.Binary = after
	} else if o == Binary {
		n.dec.Binary = after
	}
	if f := specOf(o).on; after && f != nil {
		f(n, ours)
	}
	return true
}
