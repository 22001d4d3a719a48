package nntp

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// maxHeader is how long the header of an article may be that is sent to us.
const maxHeader = 128 << 10

// post takes an article from a person (RFC 3977 section 6.3.1).
func (s *session) post(ctx context.Context, _ []string) error {
	s.say(340, "Send the article, end with <CRLF>.<CRLF>")
	id, err := s.take(ctx, "")
	if err == nil {
		s.say(240, "Article received "+id)
		return nil
	}
	return s.refused(ctx, 441, 441, err)
}

// ihave takes an article from a server (RFC 3977 section 6.3.2).
func (s *session) ihave(ctx context.Context, args []string) error {
	id := args[0]
	if !isID(id) {
		s.say(501, "That is no message-id")
		return nil
	}
	if err := s.h.poster().Wanted(ctx, id); err != nil {
		return s.refused(ctx, 435, 436, err)
	}
	s.say(335, "Send it, end with <CRLF>.<CRLF>")
	if _, err := s.take(ctx, id); err != nil {
		return s.refused(ctx, 437, 436, err)
	}
	s.say(235, "Article transferred")
	return nil
}

// check tells whether an article is wanted (RFC 4644 section 2.4).
func (s *session) check(ctx context.Context, args []string) error {
	id := args[0]
	if !isID(id) {
		s.say(501, "That is no message-id")
		return nil
	}
	f := flown{id: id, code: 238}
	err := s.h.poster().Wanted(ctx, id)
	switch {
	case err == nil:
		s.promise(id)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, ErrNotWanted):
		f.code = 438
	default:
		s.later("CHECK", err)
		f.code = 431
	}
	return s.fly(ctx, f)
}

// promise notes that CHECK was answered with 238, so that TAKETHIS need not ask
// again. A client that asks for much and sends nothing is forgotten.
func (s *session) promise(id string) {
	const most = 1024
	if s.promised == nil || len(s.promised) == most {
		s.promised = make(map[string]bool)
	}
	s.promised[id] = true
}

// takeThis takes an article that comes without having been asked for (RFC 4644
// section 2.5).
func (s *session) takeThis(ctx context.Context, args []string) error {
	if len(args) != 1 || !isID(args[0]) {
		s.talk.R.Block() // it is under way: the next Line drops it
		s.say(501, "Usage: TAKETHIS <id>")
		return nil
	}
	f := flown{id: args[0]}
	if s.promised[f.id] { // if it has come meanwhile, Take says so
		delete(s.promised, f.id)
	} else {
		f.err = s.h.poster().Wanted(ctx, f.id)
	}
	if f.err == nil {
		f.draft, _, f.err = s.draft(ctx, f.id)
	} else {
		f.err = s.dropped(s.talk.R.Block(), f.err)
	}
	if f.err != nil && isBroken(ctx, f.err) {
		return f.err
	}
	return s.fly(ctx, f)
}

// later notes a fault of the Backend's; ErrLater is none.
func (s *session) later(what string, err error) {
	if !errors.Is(err, ErrLater) {
		s.log(what, err)
	}
}

// refused answers for an article that was not taken: never is the code of what
// need not be tried again.
func (s *session) refused(ctx context.Context, never, later int, err error) error {
	r, told := errors.AsType[Reply](err)
	switch {
	case isBroken(ctx, err):
		return err
	case told:
		s.say(never, r.Text)
	case errors.Is(err, ErrNoGroup):
		s.say(never, "None of its newsgroups is here")
	case errors.Is(err, ErrNotWanted):
		s.say(never, sentence(err))
	default:
		s.later("taking an article", err)
		s.say(later, "That cannot be done now")
	}
	return nil
}

// sentence is an error as a line for a person, of no more than a reply holds.
func sentence(err error) string {
	text := []byte(err.Error())
	return string(text[:min(len(text), 400)])
}

// isBroken tells a connection that failed from an article that was refused.
func isBroken(ctx context.Context, err error) bool {
	_, broken := errors.AsType[*lost](err)
	return broken || ctx.Err() != nil
}

// lost is a failure of the connection while an article came.
type lost struct{ error }

func (l *lost) Unwrap() error { return l.error }

// incoming reads an article off the wire, and finds what no article may have.
type incoming struct {
	block *wire.Block
	talk  *server.Talk
	left  int64
	err   error // what is wrong with it; a *lost where the connection failed
}

var (
	errBare = refuse(errors.New("a line is not ended by CRLF, or has a CR in it"))
	errNUL  = refuse(errors.New("there is a NUL in it"))
	errBig  = refuse(errors.New("it is too big"))
)

func (in *incoming) Read(p []byte) (int, error) {
	if in.err != nil {
		return 0, in.err
	}
	in.talk.Progress()
	n, err := in.block.Read(p)
	in.left -= int64(n)
	switch {
	case err != nil && err != io.EOF:
		in.err = &lost{err}
	case in.block.Bare():
		in.err = errBare
	case bytes.IndexByte(p[:n], 0) >= 0:
		in.err = errNUL
	case in.left < 0:
		in.err = errBig
	}
	if in.err != nil {
		return 0, in.err
	}
	return n, err
}

// dropped reads what is still to come of an article that is refused for why.
func (s *session) dropped(block *wire.Block, why error) error {
	p := wire.Get(wire.Large)
	defer wire.Put(p)
	for {
		s.talk.Progress()
		if _, err := block.Read(p); err == io.EOF {
			return why
		} else if err != nil {
			return &lost{err}
		}
	}
}

// take takes one article: one that is posted where id is "".
func (s *session) take(ctx context.Context, id string) (string, error) {
	d, id, err := s.draft(ctx, id)
	if err != nil {
		return "", err
	}
	defer s.lay(d)
	return id, s.h.poster().Take(ctx, d)[0]
}

// draft reads an article, and gives its identifier: one that is posted where id
// is "". What is refused has been read to its end.
func (s *session) draft(ctx context.Context, id string) (Draft, string, error) {
	s.lookAhead()
	p := wire.Get(wire.Large)
	defer wire.Put(p)
	block := s.talk.R.Block()
	in := &incoming{block: block, talk: s.talk, left: s.limits.Article}
	a, err := s.read(in, p, id)
	var d Draft
	if err == nil {
		d, err = s.h.poster().Draft(ctx, a)
	}
	if in.err != nil {
		err = in.err
	}
	if !isBroken(ctx, err) {
		err = s.dropped(block, err)
	}
	if err != nil && d != nil {
		s.lay(d)
		d = nil
	}
	return d, a.ID, err
}

// lookAhead gives the Reader storage for articles: what lies there together is a
// flight, so that there is more of it for one who sends many at once.
func (s *session) lookAhead() {
	room := wire.Large
	if s.streams {
		room = 4 * wire.Large
	}
	s.talk.TellTurn() // with its storage what was read goes
	for s.talk.R.Held() < room {
		s.talk.R.Grow()
	}
}

// read reads an article into p, as far as it fits, and makes its header what is
// kept.
func (s *session) read(in *incoming, p []byte, id string) (Incoming, error) {
	n, err := io.ReadFull(in, p)
	if err == nil && headerEnd(p) == len(p) {
		long := make([]byte, maxHeader)
		n = copy(long, p)
		p = long
		var more int
		more, err = io.ReadFull(in, p[n:])
		n += more
	}
	whole := err == io.EOF || err == io.ErrUnexpectedEOF // a stream that ended within it is a *lost
	if err != nil && !whole {
		return Incoming{}, err
	}
	header, at := message.ParseHeader(p[:headerEnd(p[:n])], message.Limits{Header: maxHeader})
	if !whole && at == n {
		return Incoming{}, refuse(errors.New("its header is too long"))
	}
	for _, d := range header.Defects {
		switch d.Kind {
		case message.UndecodableBytes, message.InvalidDate, message.InvalidAddress, message.InvalidEncodedWord, message.DuplicateField:
		default:
			return Incoming{}, refuse(errors.New("its header is malformed"))
		}
	}
	a := Incoming{ID: id, Body: bytes.NewReader(p[at:n]), Size: int64(n - at), Peer: s.peer, Posted: id == ""}
	if !whole {
		a.Body, a.Size = io.MultiReader(a.Body, in), -1
	}
	if a.Posted {
		a.Header, err = s.h.inject(header, s.from, a.Peer, s.rights)
		a.ID = a.Header.Get("Message-ID")
	} else {
		a.Header, err = s.h.relay(header, s.from, id)
	}
	return a, err
}

// headerEnd is where the header of an article ends that begins in p, or len(p).
func headerEnd(p []byte) int {
	if i := bytes.Index(p, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return len(p)
}
