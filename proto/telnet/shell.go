package telnet

import (
	"fmt"
	"net"
)

// A Terminal is the client's, as a Shell sees it. What is written leaves when
// the Shell has answered. It is for the goroutine of the Shell alone.
type Terminal struct {
	s      *session
	nvt    *NVT
	user   string
	prompt string
	hidden bool
	echoed bool // ECHO was on before Hide
	memory []byte
}

// Write writes text whose lines end with LF; they are sent with CR LF.
func (t *Terminal) Write(b []byte) (int, error) {
	t.nvt.WriteText(string(b))
	return len(b), t.s.send()
}

// Printf writes text whose lines end with LF.
func (t *Terminal) Printf(format string, args ...any) {
	_, _ = fmt.Fprintf(t, format, args...) // what fails here fails when the Turn is over, too
}

// Prompt writes text, and again when the line under it is wanted anew.
func (t *Terminal) Prompt(text string) {
	t.prompt = text
	t.nvt.WriteText(text)
}

// Hide has the client not show what is typed, for passwords, or show it again:
// the server says that it echoes, and does not (RFC 857). A tap hears *** for
// it, and Transcript tells nothing of it.
func (t *Terminal) Hide(on bool) {
	if on == t.hidden {
		return
	}
	t.hidden = on
	if on {
		before, _ := t.nvt.States(Echo)
		t.echoed = before != No
		t.nvt.step(true, Echo, AskYes)
		return
	}
	if !t.echoed {
		t.nvt.step(true, Echo, AskNo)
	}
}

// User is who has logged in; "" where nobody is asked.
func (t *Terminal) User() string { return t.user }

// Size is that of the client's window, in characters; 0 where it is not told.
func (t *Terminal) Size() (width, height int) { return t.nvt.Peer.Width, t.nvt.Peer.Height }

// Type is the name of the client's terminal; "" where it is not told.
func (t *Terminal) Type() string {
	if len(t.nvt.Peer.Terminals) == 0 {
		return ""
	}
	return t.nvt.Peer.Terminals[0]
}

// NVT is our end, for whoever wants to ask for more.
func (t *Terminal) NVT() *NVT { return t.nvt }

// RemoteAddr is the client's address.
func (t *Terminal) RemoteAddr() net.Addr { return t.s.talk.RemoteAddr() }

// Transcript is what the client has sent of late, a line for each thing:
// secrets are ***.
func (t *Terminal) Transcript() string { return string(t.memory) }

// remember writes an event down.
func (t *Terminal) remember(e Event) {
	text := ""
	switch e.Kind {
	case Told:
		text = "IAC " + e.Command.String()
	case Negotiation, Changed:
		text = fmt.Sprintf("IAC %v %v", e.Command, e.Option)
	case Sub:
		text = fmt.Sprintf("IAC SB %v %x IAC SE", e.Option, e.Data)
	case Overlong:
		text = fmt.Sprintf("IAC SB %v (too long)", e.Option)
	}
	t.endLine()
	t.keep(text + "\n")
}

// rememberByte writes a byte of data down.
func (t *Terminal) rememberByte(c byte) {
	switch {
	case t.hidden && len(t.memory) > 0 && t.memory[len(t.memory)-1] == '*':
	case t.hidden:
		t.keep("***")
	case c == '\n':
		t.keep("\\n\n")
	case c == '\r':
		t.endLine()
		t.keep("\\r")
	case c == '\\':
		t.keep("\\\\")
	case isControl(c) || c > del:
		t.keep(fmt.Sprintf("\\x%02x", c))
	default:
		t.keep(string(rune(c)))
	}
}

// endLine ends the line that stands there, if one does.
func (t *Terminal) endLine() {
	if n := len(t.memory); n > 0 && t.memory[n-1] == '*' {
		t.keep("\n")
	}
}

func (t *Terminal) keep(text string) {
	t.memory = append(t.memory, text...)
	if most := t.s.limits.Remember; len(t.memory) > 2*most {
		t.memory = append(t.memory[:0], t.memory[len(t.memory)-most:]...)
	}
}
