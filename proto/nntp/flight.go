package nntp

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// A feed sends articles one behind the other and hears the answers as they come
// (RFC 4644 section 2.1). What of that lies here already is one flight: its
// articles are taken together, so that they share what makes them durable, and
// each is answered after that.

// flown is a request in a flight, which has not been answered.
type flown struct {
	id    string
	code  int   // the answer to CHECK; 0: an article was sent
	draft Draft // nil: it is refused
	err   error // why
}

// maxFlight is how many requests one flight has. What bounds its octets is that
// all but its first article lay in the Reader.
const maxFlight = 256

// fly answers a request of a feed once nothing else of the flight lies here.
func (s *session) fly(ctx context.Context, f flown) error {
	s.flight = append(s.flight, f)
	if len(s.flight) < maxFlight && s.more() {
		return nil
	}
	return s.land(ctx)
}

// more tells whether the next request lies here, to its end, and is one that can
// be in the flight.
func (s *session) more() bool {
	if s.h.Answer != nil {
		return false
	}
	have := s.talk.R.Peek()
	end := bytes.IndexByte(have, '\n')
	if end < 1 || end >= s.talk.R.Limit() {
		return false
	}
	verb, id, _ := bytes.Cut(bytes.TrimSuffix(have[:end], []byte{'\r'}), []byte{' '})
	switch {
	case !isKeyword(verb), !isID(string(id)):
		return false
	case bytes.EqualFold(verb, []byte("CHECK")):
		return !s.flies(string(id)) // what becomes of that one has to be known first
	case bytes.EqualFold(verb, []byte("TAKETHIS")):
		return bytes.Contains(have[end-1:], []byte("\r\n.\r\n"))
	}
	return false
}

// flies tells whether an article is in the flight.
func (s *session) flies(id string) bool {
	for _, f := range s.flight {
		if f.id == id && f.draft != nil {
			return true
		}
	}
	return false
}

// land takes the articles of the flight, and answers for everything in it.
func (s *session) land(ctx context.Context) error {
	flight := s.flight
	s.flight = nil
	var drafts []Draft
	for _, f := range flight {
		if f.draft != nil {
			drafts = append(drafts, f.draft)
		}
	}
	var errs []error
	if len(drafts) > 0 {
		s.streams = s.streams || len(drafts) > 1
		errs = s.h.poster().Take(ctx, drafts...)
	}
	for _, d := range drafts {
		s.lay(d)
	}
	for _, f := range flight {
		switch {
		case f.code != 0:
			s.say(f.code, f.id)
			continue
		case f.draft != nil:
			f.err, errs = errs[0], errs[1:]
		}
		if err := s.landed(ctx, f.id, f.err); err != nil {
			return err
		}
	}
	return nil
}

// landed answers TAKETHIS. An error that may pass ends the talk, as RFC 4644
// section 2.5 says.
func (s *session) landed(ctx context.Context, id string, err error) error {
	r, told := errors.AsType[Reply](err)
	switch {
	case err == nil:
		s.say(239, id)
	case isBroken(ctx, err):
		return err
	case errors.Is(err, ErrNotWanted), errors.Is(err, ErrNoGroup), told && r.Code/100 == 4 && r.Code != 400:
		s.say(439, id)
	default:
		s.later("TAKETHIS", err)
		s.say(400, "That cannot be done now")
		return io.EOF
	}
	return nil
}

// lay lets go of a draft, whatever became of it.
func (s *session) lay(d Draft) {
	if err := d.Close(); err != nil {
		s.log("closing an article", err)
	}
}
