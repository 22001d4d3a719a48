package talk

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/term"
)

// typed is what the user did.
type typed struct {
	line string
	end  bool  // Ctrl-D on an empty line
	err  error // the terminal is gone
}

// Terminal is a terminal in raw mode: lines are edited and remembered at its
// foot, and what comes in is shown above. One may serve several conversations,
// one after the other.
type Terminal struct {
	t         *term.Terminal
	size      func() (width, height int, err error)
	interrupt func()
	typed     chan typed
	start     sync.Once
	cut       atomic.Bool // Ctrl-C was pressed
	closed    chan struct{}

	prompt string
	tail   []byte // what was received after the last end of a line
	width  int
}

// NewTerminal is the terminal that rw reads and writes. size tells its size, or
// is nil; interrupt is called for each Ctrl-C. The goroutine that reads ends
// with rw.
func NewTerminal(rw io.ReadWriter, size func() (width, height int, err error), interrupt func()) *Terminal {
	c := &Terminal{size: size, interrupt: interrupt, typed: make(chan typed, 64), closed: make(chan struct{}), prompt: "> ", width: 80}
	c.t = term.NewTerminal(&keys{rw, c}, c.prompt)
	c.t.AutoCompleteCallback = c.key
	return c
}

const (
	ctrlC = 0x03
	ctrlD = 0x04
	// endKey stands for Ctrl-D, after which the library could not go on.
	endKey = 0x1c
)

// keys takes from the keyboard what the line editor has no use for.
type keys struct {
	io.ReadWriter
	c *Terminal
}

func (k *keys) Read(p []byte) (int, error) {
	n, err := k.ReadWriter.Read(p)
	for i, b := range p[:n] {
		switch b {
		case ctrlC:
			k.c.cut.Store(true)
			k.c.interrupt()
			return i, io.EOF
		case ctrlD:
			p[i] = endKey
		}
	}
	return n, err
}

// key handles the keys that the library leaves: Ctrl-D, and Tab.
func (c *Terminal) key(line string, pos int, key rune) (string, int, bool) {
	switch {
	case key == endKey && line == "":
		c.give(typed{end: true})
		return line, pos, true
	case key == endKey && pos < len(line):
		_, size := utf8.DecodeRuneInString(line[pos:])
		return line[:pos] + line[pos+size:], pos, true
	case key == '\t' && pos == len(line):
		whole, ok := complete(line)
		return whole, len(whole), ok
	}
	return line, pos, false
}

// read gives the lines to whoever takes them.
func (c *Terminal) read() {
	for {
		line, err := c.t.ReadLine()
		if c.cut.Load() {
			return
		}
		var pasted = err == term.ErrPasteIndicator //nolint:errorlint // as the library gives it
		if err != nil && !pasted {
			c.give(typed{err: err})
			return
		}
		c.give(typed{line: line})
	}
}

// give hands over what was typed. Some may be typed before anybody takes it, so
// that Ctrl-C is seen meanwhile.
func (c *Terminal) give(t typed) {
	select {
	case c.typed <- t:
	case <-c.closed:
	}
}

// Close gives up what nobody took. The terminal itself is the caller's to
// restore and to close.
func (c *Terminal) Close() { close(c.closed) }

// lines begins to read.
func (c *Terminal) lines() <-chan typed {
	c.start.Do(func() { go c.read() })
	return c.typed
}

// receive shows what the peer said. Whole lines go above the prompt; what has
// no end yet becomes part of it, so that it is seen and can still go on.
func (c *Terminal) receive(b []byte) {
	c.fit()
	text, rest := visible(append(c.tail, b...))
	end := strings.LastIndexByte(text, '\n') + 1
	whole, open := text[:end], []rune(text[end:])
	for len(open) >= c.width {
		whole += string(open[:c.width]) + "\n"
		open = open[c.width:]
	}
	c.tail = append([]byte(string(open)), rest...)
	c.show(whole, string(open))
}

// Say shows a line of our own above the prompt; not while a conversation runs.
func (c *Terminal) Say(text string) {
	c.fit()
	open, _ := visible(c.tail)
	c.show(text+"\n", open)
}

// flush ends the line that the peer left open.
func (c *Terminal) flush() {
	if open := visibleAll(c.tail); open != "" {
		c.tail = nil
		c.show(open+"\n", "")
	}
}

// leave takes the prompt away.
func (c *Terminal) leave() {
	c.flush()
	c.t.SetPrompt("")
	_, _ = c.t.Write(nil)
}

func (c *Terminal) show(whole, open string) {
	c.t.SetPrompt(open + c.prompt)
	_, _ = io.WriteString(c.t, whole) // a terminal that is gone is told by its reader
}

// entered is called when a line was typed: the peer's open line was ended by
// it, as far as the screen goes.
func (c *Terminal) entered() {
	c.tail = nil
	c.t.SetPrompt(c.prompt)
}

// ask sets the prompt for the lines to come.
func (c *Terminal) ask(prompt string) {
	c.prompt = prompt
	open, _ := visible(c.tail)
	c.show("", open)
}

// fit follows the window's size.
func (c *Terminal) fit() {
	if c.size == nil {
		return
	}
	if w, h, err := c.size(); err == nil && w > 0 {
		c.width = w
		_ = c.t.SetSize(w, h)
	}
}
