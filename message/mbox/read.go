package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
)

// ErrFormat is a file that does not begin with a "From " line.
var ErrFormat = errors.New("mbox: no mbox: it does not begin with \"From \"")

// Form is how lines of a message that begin with "From " are told from those
// between messages.
type Form uint8

const (
	// RD is mboxrd: ">From ", ">>From " and so on lose one ">".
	RD Form = iota
	// O is mboxo: only ">From " loses its ">". What was ">From " before it was
	// written cannot be told from that.
	O
	// Raw leaves lines as they are.
	Raw
)

// Message is one message of an mbox.
type Message struct {
	// Sender is what stands behind "From ", mostly the envelope's sender.
	Sender string
	// Date is when it was delivered, by the same line; zero if that cannot be read.
	Date time.Time
	// Text is the message with the line ends of the file, until the next
	// message is asked for. The empty line between messages is no part of it.
	Text io.Reader
}

// Read gives the messages of an mbox. The errors are r's, and [ErrFormat];
// either ends the iteration. What is left of a message's Text is passed by.
// A new message begins with a line "From " that has a time in it, at the
// beginning or below an empty line.
func Read(r io.Reader, form Form) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		s := &splitter{r: bufio.NewReaderSize(r, 64<<10), form: form, blank: true}
		from, err := s.line()
		for err == nil && len(bytes.Trim(from, "\r\n")) == 0 {
			from, err = s.line()
		}
		if err == io.EOF && len(from) == 0 {
			return
		}
		if err != nil && err != io.EOF || !bytes.HasPrefix(from, []byte("From ")) {
			if err == nil || err == io.EOF {
				err = ErrFormat
			}
			yield(Message{}, err)
			return
		}
		s.next = bytes.Clone(from)
		for s.next != nil {
			m := parseFrom(s.next)
			s.next, s.ended, s.blank, s.begins = nil, false, false, true
			m.Text = s
			if !yield(m, nil) {
				return
			}
			if _, err := io.Copy(io.Discard, struct{ io.Reader }{s}); err != nil {
				yield(Message{}, err)
				return
			}
		}
	}
}

// parseFrom reads "From sender date".
func parseFrom(line []byte) Message {
	text := strings.TrimSpace(strings.TrimPrefix(string(line), "From "))
	sender, rest, _ := strings.Cut(text, " ")
	m := Message{Sender: sender}
	rest, _, _ = strings.Cut(rest, " remote from ") // UUCP
	if date, err := message.ParseDate(rest); err == nil {
		m.Date = date
	}
	return m
}

// splitter reads one message after the other. It is the Text of the message at
// hand.
type splitter struct {
	r      *bufio.Reader
	form   Form
	unread []byte
	held   []byte // an empty line that may be the one between messages
	next   []byte // the "From " line that ended the message
	ended  bool
	blank  bool // the line before was empty
	begins bool // the next octet begins a line
	err    error
}

// line gives a line, or a piece of one that is longer than the buffer.
func (s *splitter) line() ([]byte, error) {
	b, err := s.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return b, err
}

// Read gives the text of the message.
func (s *splitter) Read(p []byte) (int, error) {
	for len(s.unread) == 0 {
		switch {
		case s.ended:
			return 0, io.EOF
		case s.err != nil:
			return 0, s.err
		}
		s.advance()
	}
	n := copy(p, s.unread)
	s.unread = s.unread[n:]
	return n, nil
}

// advance reads a line into unread. An empty line is held until it is known
// whether the message goes on.
func (s *splitter) advance() {
	b, err := s.line()
	if err != nil && err != io.EOF {
		s.err = err
		return
	}
	if len(b) == 0 {
		s.ended, s.held = true, nil
		return
	}
	begins := s.begins
	s.begins = b[len(b)-1] == '\n'
	if begins && s.blank && isFrom(b) {
		s.next, s.ended, s.held = bytes.Clone(b), true, nil
		return
	}
	before := s.held
	s.held = nil
	s.blank = begins && len(bytes.Trim(b, "\r\n")) == 0
	if s.blank {
		s.unread, s.held = before, bytes.Clone(b)
		return
	}
	if begins {
		b = s.unquote(b)
	}
	s.unread = b
	if len(before) > 0 {
		s.unread = append(before, b...)
	}
}

func (s *splitter) unquote(line []byte) []byte {
	quoted := bytes.TrimLeft(line, ">")
	depth := len(line) - len(quoted)
	if depth == 0 || s.form == Raw || s.form == O && depth > 1 || !bytes.HasPrefix(quoted, []byte("From ")) {
		return line
	}
	return line[1:]
}

// isFrom tells a line between messages: it has a time of day, hh:mm, and a
// digit of a year after it or before. Programs that quote nothing leave
// sentences that begin with "From " below empty lines.
func isFrom(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	for ok {
		var before []byte
		before, rest, ok = bytes.Cut(rest, []byte{':'})
		if ok && len(before) > 0 && len(rest) > 0 && digit(before[len(before)-1]) && digit(rest[0]) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
