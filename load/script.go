package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
)

// A Script is a Conversation in lines, as the protocols of mail, news and files
// speak: what is said, and what must be heard. It is used by its address, and
// not changed after the first use.
type Script struct {
	Begin []Step // once on each connection, from the greeting on
	Loop  []Step // an exchange

	opened atomic.Uint64
}

// A Step says something and hears the answer.
type Step struct {
	// Say is what is sent, line ends included; "" sends nothing, as before a
	// greeting. {n} in it is the number of the connection, from 1.
	Say  string
	Hear Answer
}

// Open holds the script's beginning.
func (s *Script) Open(_ context.Context, c net.Conn) (Exchanger, error) {
	n := strconv.FormatUint(s.opened.Add(1), 10)
	t := &scripted{c: c, r: bufio.NewReaderSize(c, scriptBuffer)}
	for _, step := range s.Loop {
		t.loop = append(t.loop, spoken{[]byte(strings.ReplaceAll(step.Say, "{n}", n)), step.Hear})
	}
	for _, step := range s.Begin {
		if err := t.take(spoken{[]byte(strings.ReplaceAll(step.Say, "{n}", n)), step.Hear}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// scriptBuffer is for reading lines, longer ones are read in parts.
const scriptBuffer = 1 << 10

// scripted is one connection of a Script.
type scripted struct {
	c    net.Conn
	r    *bufio.Reader
	loop []spoken
}

type spoken struct {
	say  []byte
	hear Answer
}

// Exchange holds the loop once.
func (t *scripted) Exchange(context.Context) error {
	for _, step := range t.loop {
		if err := t.take(step); err != nil {
			return err
		}
	}
	return nil
}

func (t *scripted) take(s spoken) error {
	if len(s.say) > 0 {
		if _, err := t.c.Write(s.say); err != nil {
			return err
		}
	}
	_, err := s.hear.Read(t.r)
	if err != nil && len(s.say) > 0 && errors.Is(err, ErrWrong) {
		verb, _, _ := bytes.Cut(bytes.TrimSpace(s.say), []byte(" "))
		return fmt.Errorf("%w to %.20q", err, verb)
	}
	return err
}

// An Answer is how the answer to a line reads. The zero Answer is none: nothing
// is heard.
type Answer struct {
	kind   answerKind
	want   string
	dotted bool
}

type answerKind uint8

const (
	noAnswer answerKind = iota
	replyAnswer
	statusAnswer
	taggedAnswer
)

// Reply is an answer that begins with a code of three digits, "250", or only
// with its first ones, "2"; it ends with the line where no hyphen is behind the
// code (RFC 959 section 4.2, RFC 5321 section 4.2.1).
func Reply(code string) Answer { return Answer{kind: replyAnswer, want: code} }

// Status is an answer of one line that begins so: "+OK".
func Status(begins string) Answer { return Answer{kind: statusAnswer, want: begins} }

// Tagged is an answer that ends with the line that begins with the first word
// of this, and must begin with all of it: "a OK" (RFC 9051 section 2.2.2).
func Tagged(begins string) Answer { return Answer{kind: taggedAnswer, want: begins} }

// Dotted is the answer with a block behind it, which a line with a dot alone
// ends (RFC 3977 section 3.1.1).
func (a Answer) Dotted() Answer {
	a.dotted = true
	return a
}

// Read reads the answer from r and gives the beginning of the line that decided
// it, without its end. The error is ErrWrong, wrapped, where it begins
// otherwise, or what reading failed with.
func (a Answer) Read(r *bufio.Reader) (line string, err error) {
	switch a.kind {
	case noAnswer:
		return "", nil
	case replyAnswer:
		line, err = a.reply(r)
	case statusAnswer:
		line, err = lineOf(r)
	case taggedAnswer:
		tag, _, _ := strings.Cut(a.want, " ")
		line, err = linesTo(r, tag+" ")
	}
	if err != nil {
		return line, err
	}
	if !strings.HasPrefix(line, a.want) {
		return line, fmt.Errorf("%w: %.100q, not %q", ErrWrong, line, a.want)
	}
	if a.dotted {
		return line, block(r)
	}
	return line, nil
}

// reply reads the lines of a reply and gives its first.
func (a Answer) reply(r *bufio.Reader) (string, error) {
	first, err := lineOf(r)
	if err == nil && len(first) > 3 && first[3] == '-' {
		_, err = linesTo(r, first[:3]+" ")
	}
	return first, err
}

// linesTo reads up to the line that begins so.
func linesTo(r *bufio.Reader, begins string) (string, error) {
	for {
		line, err := lineOf(r)
		if err != nil || strings.HasPrefix(line, begins) {
			return line, err
		}
	}
}

// block reads up to a line with a dot alone.
func block(r *bufio.Reader) error {
	for {
		if line, err := lineOf(r); err != nil || line == "." {
			return err
		}
	}
}

// lineOf reads a line and gives its beginning, without its end.
func lineOf(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	line := string(bytes.TrimRight(b, "\r\n"))
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return line, err
}
