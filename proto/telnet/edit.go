package telnet

import "unicode/utf8"

// An Editor makes lines of what is typed, as a terminal's driver does (termios(3),
// ICANON): erase (BS, DEL), kill (^U), word erase (^W), reprint (^R), literal
// next (^V). A line ends with CR LF, CR NUL or LF.
type Editor struct {
	Most   int  // bytes of a line; what is more is not taken, with a bell
	Echo   bool // somebody sees the echo
	Secret bool // what is typed is: its echo is nothing but line ends

	line []byte
	cr   bool // the line that ended last ended with CR: LF is its rest
	lit  bool // ^V: the next byte is taken as it is
	esc  byte // within an escape sequence, as of an arrow key: its last byte that counts
}

// Line is what has been typed since the line before, which it ends. It is valid
// until the next call.
func (e *Editor) Line() []byte {
	b := e.line
	e.line = e.line[:0]
	return b
}

// Pending is what has been typed of a line that goes on.
func (e *Editor) Pending() []byte { return e.line }

// Typing is what a byte came to.
type Typing uint8

// What a byte can come to.
const (
	Typed     Typing = iota // a part of the line, or of nothing
	Entered                 // the line is whole: Line
	Reprinted               // ^R: the prompt and what is Pending are wanted again
	Cancelled               // ^C: the line is gone
	HungUp                  // ^D at the front of a line
)

// Bytes with a meaning.
const (
	bell   = 7
	ctrlC  = 3
	ctrlD  = 4
	ctrlR  = 18
	ctrlU  = 21
	ctrlV  = 22
	ctrlW  = 23
	escape = 27
	del    = 127
)

// Take takes one byte; echo gets what is to be shown for it.
func (e *Editor) Take(c byte, echo []byte) (Typing, []byte) {
	cr := e.cr
	e.cr = false
	if e.lit {
		e.lit = false
		return Typed, e.insert(c, echo)
	}
	if e.esc != 0 {
		e.escaped(c)
		return Typed, echo
	}
	switch c {
	case '\n':
		if cr {
			return Typed, echo
		}
		return Entered, e.show(echo, "\r\n")
	case '\r':
		e.cr = true
		return Entered, e.show(echo, "\r\n")
	case '\b', del:
		return Typed, e.erase(1, echo)
	case ctrlU:
		return Typed, e.erase(len(e.line), echo)
	case ctrlW:
		return Typed, e.eraseWord(echo)
	case ctrlV:
		e.lit = true
	case ctrlR:
		return Reprinted, e.show(echo, "^R\r\n")
	case ctrlC:
		e.line = e.line[:0]
		return Cancelled, e.show(echo, "^C\r\n")
	case ctrlD:
		if len(e.line) == 0 {
			return HungUp, echo
		}
	case escape:
		e.esc = escape
	case 0:
	default:
		return Typed, e.insert(c, echo)
	}
	return Typed, echo
}

// escaped swallows a sequence of ECMA-48: ESC [ parameters final, or ESC and
// one byte, with O as in SS3 another.
func (e *Editor) escaped(c byte) {
	switch {
	case e.esc == escape && (c == '[' || c == 'O'):
		e.esc = c
	case e.esc == '[' && (c < 0x40 || c > 0x7e):
	default:
		e.esc = 0
	}
}

func (e *Editor) show(echo []byte, text string) []byte {
	if !e.Echo {
		return echo
	}
	return append(echo, text...)
}

func (e *Editor) insert(c byte, echo []byte) []byte {
	if len(e.line) >= e.Most {
		return e.show(echo, string(rune(bell)))
	}
	e.line = append(e.line, c)
	if !e.Echo || e.Secret {
		return echo
	}
	if isControl(c) {
		return append(echo, '^', c^64)
	}
	return append(echo, c)
}

func isControl(c byte) bool { return c < ' ' || c == del }

// erase takes so many bytes off the end, and what belongs to the same
// character.
func (e *Editor) erase(n int, echo []byte) []byte {
	for end := len(e.line) - n; len(e.line) > max(end, 0); {
		r, size := utf8.DecodeLastRune(e.line)
		cells := 1
		if size == 1 && r < utf8.RuneSelf && isControl(byte(r)) {
			cells = 2
		}
		e.line = e.line[:len(e.line)-size]
		for range cells {
			if e.Echo && !e.Secret {
				echo = append(echo, "\b \b"...)
			}
		}
	}
	return echo
}

func (e *Editor) eraseWord(echo []byte) []byte {
	n := len(e.line)
	for n > 0 && e.line[n-1] == ' ' {
		n--
	}
	for n > 0 && e.line[n-1] != ' ' {
		n--
	}
	return e.erase(len(e.line)-n, echo)
}
