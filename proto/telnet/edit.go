package telnet

import "unicode/utf8"

// editor makes lines of what is typed, as a terminal's driver does (termios(3),
// ICANON): erase (BS, DEL), kill (^U), word erase (^W), reprint (^R), literal
// next (^V). A line ends with CR LF, CR NUL or LF.
type editor struct {
	line  []byte
	most  int  // bytes of a line; what is more is not taken
	seen  bool // somebody sees the echo
	blind bool // what is typed is secret: its echo is nothing
	cr    bool // the line that ended last ended with CR: LF is its rest
	lit   bool // ^V: the next byte is taken as it is
	esc   byte // within an escape sequence, as of an arrow key: its last byte that counts
}

// typing is what a byte came to.
type typing uint8

const (
	typed     typing = iota
	entered          // the line is whole
	reprinted        // ^R: the prompt and the line are wanted again
	cancelled        // ^C: the line is gone
	hungUp           // ^D at the front of a line
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

// take takes one byte; echo gets what is to be shown for it.
func (e *editor) take(c byte, echo []byte) (typing, []byte) {
	cr := e.cr
	e.cr = false
	if e.lit {
		e.lit = false
		return typed, e.insert(c, echo)
	}
	if e.esc != 0 {
		e.escaped(c)
		return typed, echo
	}
	switch c {
	case '\n':
		if cr {
			return typed, echo
		}
		return entered, e.show(echo, "\r\n")
	case '\r':
		e.cr = true
		return entered, e.show(echo, "\r\n")
	case '\b', del:
		return typed, e.erase(1, echo)
	case ctrlU:
		return typed, e.erase(len(e.line), echo)
	case ctrlW:
		return typed, e.eraseWord(echo)
	case ctrlV:
		e.lit = true
	case ctrlR:
		return reprinted, e.show(echo, "^R\r\n")
	case ctrlC:
		e.line = e.line[:0]
		return cancelled, e.show(echo, "^C\r\n")
	case ctrlD:
		if len(e.line) == 0 {
			return hungUp, echo
		}
	case escape:
		e.esc = escape
	case 0:
	default:
		return typed, e.insert(c, echo)
	}
	return typed, echo
}

// escaped swallows a sequence of ECMA-48: ESC [ parameters final, or ESC and
// one byte, with O as in SS3 another.
func (e *editor) escaped(c byte) {
	switch {
	case e.esc == escape && (c == '[' || c == 'O'):
		e.esc = c
	case e.esc == '[' && (c < 0x40 || c > 0x7e):
	default:
		e.esc = 0
	}
}

func (e *editor) show(echo []byte, text string) []byte {
	if !e.seen {
		return echo
	}
	return append(echo, text...)
}

func (e *editor) insert(c byte, echo []byte) []byte {
	if len(e.line) >= e.most {
		return e.show(echo, string(rune(bell)))
	}
	e.line = append(e.line, c)
	if !e.seen || e.blind {
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
func (e *editor) erase(n int, echo []byte) []byte {
	for end := len(e.line) - n; len(e.line) > max(end, 0); {
		r, size := utf8.DecodeLastRune(e.line)
		cells := 1
		if size == 1 && r < utf8.RuneSelf && isControl(byte(r)) {
			cells = 2
		}
		e.line = e.line[:len(e.line)-size]
		for range cells {
			if e.seen && !e.blind {
				echo = append(echo, "\b \b"...)
			}
		}
	}
	return echo
}

func (e *editor) eraseWord(echo []byte) []byte {
	n := len(e.line)
	for n > 0 && e.line[n-1] == ' ' {
		n--
	}
	for n > 0 && e.line[n-1] != ' ' {
		n--
	}
	return e.erase(len(e.line)-n, echo)
}
