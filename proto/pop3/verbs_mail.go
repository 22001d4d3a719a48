package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/farend-go/farend/server"
)

// stat is the drop listing (RFC 1939 section 5).
func (s *session) stat(context.Context, string) error {
	s.ok(strconv.Itoa(s.count) + " " + strconv.FormatInt(s.size, 10))
	return nil
}

// message finds the message that an argument names, and says so where there is
// none.
func (s *session) message(arg string) (i int, ok bool) {
	n, err := strconv.Atoi(arg)
	switch {
	case err != nil || arg[0] == '+' || arg[0] == '-':
		s.no("", "That is no message number")
		return 0, false
	case n < 1 || n > len(s.all):
		s.no("", fmt.Sprintf("No such message, only %d messages in maildrop", len(s.all)))
		return 0, false
	case s.deleted[n-1]:
		s.no("", fmt.Sprintf("Message %d is deleted", n))
		return 0, false
	}
	return n - 1, true
}

// readable is message for its text.
func (s *session) readable(arg string) (i int, ok bool) {
	if i, ok = s.message(arg); !ok {
		return 0, false
	}
	if s.all[i].UTF8 && !s.utf8 {
		s.no(CodeUTF8, "The message has UTF-8 in its header, say UTF8 first")
		return 0, false
	}
	return i, true
}

func (s *session) list(_ context.Context, arg string) error {
	return s.listing(arg, fmt.Sprintf("%d messages (%d octets)", s.count, s.size), Entry.appendScan)
}

func (s *session) uidl(_ context.Context, arg string) error {
	return s.listing(arg, "", Entry.appendUID)
}

// listing answers LIST and UIDL. No line of theirs begins with a dot.
func (s *session) listing(arg, head string, write func(Entry, []byte) []byte) error {
	if arg != "" {
		if i, ok := s.message(arg); ok {
			s.ok(string(write(s.entry(i), nil)))
		}
		return nil
	}
	s.ok(head)
	for i := range s.all {
		if s.deleted[i] {
			continue
		}
		s.buf = append(write(s.entry(i), s.buf[:0]), '\r', '\n')
		if _, err := s.talk.W.Write(s.buf); err != nil {
			return err
		}
		if i%1024 == 1023 {
			s.talk.Progress()
		}
	}
	return s.talk.W.LineString(".")
}

func (s *session) entry(i int) Entry {
	return Entry{Number: i + 1, Size: s.all[i].Size, UID: s.all[i].UID}
}

func (s *session) retr(ctx context.Context, arg string) error {
	i, ok := s.readable(arg)
	if !ok {
		return nil
	}
	return s.send(ctx, i, func(r io.Reader) io.Reader {
		if s.fetched != nil {
			s.fetched[i] = true
		}
		return r
	})
}

func (s *session) top(ctx context.Context, arg string) error {
	number, count, ok := strings.Cut(arg, " ")
	lines, err := strconv.ParseUint(count, 10, 31)
	if !ok || err != nil {
		s.no("", "Usage: TOP msg n")
		return nil
	}
	i, ok := s.readable(number)
	if !ok {
		return nil
	}
	return s.send(ctx, i, func(r io.Reader) io.Reader { return newTop(r, int(lines)) })
}

// send sends a message, or of it what part leaves.
func (s *session) send(ctx context.Context, i int, part func(io.Reader) io.Reader) error {
	body, err := s.drop.Open(ctx, i+1)
	if err != nil {
		return s.unreadable(ctx, i, err)
	}
	s.ok(strconv.FormatInt(s.all[i].Size, 10) + " octets")
	err = s.talk.W.Block(part(&paced{body, s.talk}))
	if closeErr := body.Close(); err == nil && closeErr == nil {
		return nil
	} else if err == nil { // the whole message was there all the same
		return fmt.Errorf("pop3: closing message %d: %w", i+1, closeErr)
	}
	s.talk.Cut() // an end in good order would leave the client with half a message
	return fmt.Errorf("pop3: sending message %d: %w", i+1, err)
}

// unreadable answers for a message that cannot be opened.
func (s *session) unreadable(ctx context.Context, i int, err error) error {
	r, told := errors.AsType[Reply](err)
	switch {
	case ctx.Err() != nil:
		return err
	case told:
		s.reply(r)
	case errors.Is(err, ErrGone):
		s.no("", fmt.Sprintf("Message %d is gone", i+1))
	default:
		s.no(CodeTemporary, "The message cannot be read now")
	}
	return nil
}

// paced keeps the Turn's time from running out on a long message that gets on.
type paced struct {
	io.Reader
	talk *server.Talk
}

func (p *paced) Read(b []byte) (int, error) {
	p.talk.Progress()
	return p.Reader.Read(b)
}

func (s *session) dele(_ context.Context, arg string) error {
	i, ok := s.message(arg)
	if !ok {
		return nil
	}
	s.deleted[i] = true
	s.count--
	s.size -= s.all[i].Size
	s.ok(fmt.Sprintf("message %d deleted", i+1))
	return nil
}

func (s *session) rset(context.Context, string) error {
	clear(s.deleted)
	clear(s.fetched)
	s.recount()
	s.ok(fmt.Sprintf("maildrop has %d messages (%d octets)", s.count, s.size))
	return nil
}

// quit enters the UPDATE state, if there is anything to update, and says
// goodbye (RFC 1939 section 6).
func (s *session) quit(ctx context.Context, _ string) error {
	if s.drop == nil {
		s.ok("Goodbye")
		return io.EOF
	}
	var numbers []int
	for i, gone := range s.deleted {
		if gone || s.fetched != nil && s.fetched[i] {
			numbers = append(numbers, i+1)
		}
	}
	var err error
	if len(numbers) > 0 {
		err = s.drop.Delete(ctx, numbers)
	}
	err = errors.Join(err, s.release())
	if r, told := errors.AsType[Reply](err); told {
		s.reply(r)
	} else if err != nil {
		s.no(CodeTemporary, "Some deleted messages not removed")
	} else {
		s.ok("Goodbye")
	}
	return io.EOF
}
