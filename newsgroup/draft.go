package newsgroup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/store"
)

// maxHeader is how long an article's header may be.
const maxHeader = 128 << 10

// A Draft is an article that is being written: its text, lines ended by CRLF. It
// is used by one goroutine, and always closed.
type Draft struct {
	w      store.BlobWriter
	max    int64
	size   int64
	header []byte // until it is over: what came of it, and what begins after it
	end    int64  // octets of the header, without the empty line; -1: not yet over
	lines  int64
	last   byte
	ref    store.Ref
	err    error
}

// NewDraft begins an article. size is a hint, in octets, -1 where it is not
// known; ErrTooBig where it is above the limit already.
func (s *Store) NewDraft(ctx context.Context, size int64) (*Draft, error) {
	if s.o.MaxArticle > 0 && size > s.o.MaxArticle {
		return nil, ErrTooBig
	}
	w, err := s.engine.Blobs().Create(ctx, size)
	if err != nil {
		return nil, err
	}
	return &Draft{w: w, max: s.o.MaxArticle, end: -1}, nil
}

// Write takes the next bytes of the article. ErrTooBig, ErrMalformed; the error
// stays.
func (d *Draft) Write(p []byte) (int, error) {
	switch {
	case d.err != nil:
		return 0, d.err
	case d.ref != "":
		return 0, fmt.Errorf("%w: it is finished", ErrMalformed)
	case d.max > 0 && d.size+int64(len(p)) > d.max:
		d.err = ErrTooBig
		return 0, d.err
	case len(p) == 0:
		return 0, nil
	}
	if d.err = d.look(p); d.err != nil {
		return 0, d.err
	}
	n, err := d.w.Write(p)
	d.size += int64(n)
	d.last = p[len(p)-1]
	d.err = err
	return n, err
}

// look finds the end of the header, and counts the lines behind it.
func (d *Draft) look(p []byte) error {
	if d.end >= 0 {
		d.lines += int64(bytes.Count(p, []byte{'\n'}))
		return nil
	}
	was := len(d.header)
	d.header = append(d.header, p...)
	i := bytes.Index(d.header[max(was-3, 0):], []byte("\r\n\r\n"))
	if i < 0 {
		if len(d.header) > maxHeader {
			return fmt.Errorf("%w: its header is too long", ErrMalformed)
		}
		return nil
	}
	i += max(was-3, 0)
	d.end = int64(i + 2)
	d.lines = int64(bytes.Count(d.header[i+4:], []byte{'\n'}))
	d.header = d.header[:i+2]
	return nil
}

// Size is how much was written, in octets.
func (d *Draft) Size() int64 { return d.size }

// Close throws the article away unless it was added.
func (d *Draft) Close() error { return d.w.Close() }

// Arrival says how an article came.
type Arrival struct {
	// Local is an article that was posted here: groups that take none from here
	// refuse it, where an article of another server is only left out of those
	// that take none at all.
	Local bool
	// Groups are where the article is to be, instead of those of its Newsgroups
	// field: the first of them that is there. A control message is put where its
	// readers look for it. The groups of the field still decide whether it is
	// taken, and where none of these is there it goes to them.
	Groups []string
}

// incoming is a draft that was understood.
type incoming struct {
	id       string
	groups   []string
	approved bool
	before   string // of the overview: what stands before the size
	behind   string // and behind it, up to the value of Xref
	size     int64  // without Xref
	row      row    // its overview is what stands behind Xref's value
}

// An Addition is a draft that is to be added, and how it came.
type Addition struct {
	*Draft
	Arrival
}

// Added is what became of an Addition: its places, or why it has none.
type Added struct {
	Places []Place
	Err    error
}

// Add takes an article in, and gives its places. It must be what
// message.CheckArticle takes; of that only what the store needs is looked at.
// ErrMalformed, ErrDuplicate, ErrNoGroup, ErrModerated, ErrReadOnly, ErrTooOld,
// ErrTooBig.
func (s *Store) Add(ctx context.Context, d *Draft, a Arrival) ([]Place, error) {
	done := s.AddAll(ctx, []Addition{{d, a}})[0]
	return done.Places, done.Err
}

// AddAll is Add for several drafts at once, in their order: each is taken or
// refused by itself, and one that came before is there for those behind it. All
// become durable in one Update; where that fails nothing has happened, and all
// that it was for have its error.
func (s *Store) AddAll(ctx context.Context, all []Addition) []Added {
	done := make([]Added, len(all))
	ready := make([]*incoming, len(all))
	some := false
	for i, a := range all {
		ready[i], done[i].Err = s.finish(a.Draft)
		some = some || done[i].Err == nil
	}
	if !some {
		return done
	}
	placed := make([]Added, len(all))
	err := s.engine.Update(ctx, func(w store.Writer) error {
		for i, in := range ready {
			if in == nil {
				continue
			}
			var err error
			placed[i].Places, err = s.place(w, in, all[i].Arrival)
			if err != nil && !refused(err) {
				return err
			}
			placed[i].Err = err
		}
		return nil
	})
	for i, in := range ready {
		switch {
		case in == nil:
		case err != nil:
			done[i] = Added{nil, err}
		default:
			done[i] = placed[i]
		}
	}
	return done
}

// refused tells an article that is not taken from a failure of the engine's.
func refused(err error) bool {
	return errors.Is(err, ErrDuplicate) || errors.Is(err, ErrNoGroup) || errors.Is(err, ErrModerated) || errors.Is(err, ErrReadOnly)
}

// finish ends the writing, unless that was done, and reads the header.
func (s *Store) finish(d *Draft) (*incoming, error) {
	in, err := s.understand(d)
	if err != nil {
		return nil, err
	}
	if d.ref == "" {
		if d.ref, d.err = d.w.Finish(); d.err != nil {
			return nil, d.err
		}
	}
	in.row.ref = d.ref
	return in, nil
}

// understand reads the header.
func (s *Store) understand(d *Draft) (*incoming, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.end < 0 || d.last != '\n' {
		return nil, fmt.Errorf("%w: it ends within a line or its header", ErrMalformed)
	}
	h, _ := message.ParseHeader(d.header, message.Limits{})
	in := &incoming{id: h.Get("Message-ID"), groups: message.ParseNewsgroups(h.Get("Newsgroups")), approved: h.Get("Approved") != ""}
	if !message.ValidMessageID(in.id) || len(in.groups) == 0 {
		return nil, fmt.Errorf("%w: no Message-ID or Newsgroups", ErrMalformed)
	}
	if s.o.Remember > 0 {
		if date, err := h.Date(); err == nil && date.Before(time.Now().Add(-s.o.Remember)) {
			return nil, ErrTooOld
		}
	}
	var b []byte
	for _, name := range [...]string{"Subject", "From", "Date"} {
		b = append(append(b, clean(h.Get(name))...), '\t')
	}
	b = append(append(b, in.id...), '\t')
	in.before = string(append(append(b, clean(h.Get("References"))...), '\t'))
	in.size = d.size
	in.behind = "\t" + strconv.FormatInt(d.lines, 10) + "\tXref: "
	for _, name := range s.o.Overview {
		in.row.overview = append(in.row.overview, '\t')
		if v, ok := h.Lookup(name); ok {
			in.row.overview = append(append(append(in.row.overview, name...), ": "...), clean(v.Value())...)
		}
	}
	in.row.header = d.end
	return in, nil
}

// place puts an article into its groups.
func (s *Store) place(w store.Writer, in *incoming, a Arrival) ([]Place, error) {
	switch _, err := w.Get(keyRecord(in.id)); {
	case err == nil:
		return nil, ErrDuplicate
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	heads, err := s.heads(w, in, a)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	rec := record{arrived: now.UnixNano()}
	for _, g := range heads {
		g.head.high++
		g.head.count++
		if g.head.count == 1 {
			g.head.low = g.head.high
		}
		rec.places = append(rec.places, Place{g.name, g.head.high})
	}
	xref := s.xref(rec.places)
	r := in.row
	r.arrived = rec.arrived
	size := in.size + int64(len("Xref: ")+len(xref)+len("\r\n"))
	r.overview = []byte(in.before + strconv.FormatInt(size, 10) + in.behind + xref + string(in.row.overview))
	value := r.append(nil)
	for i, p := range rec.places {
		if err := errors.Join(w.Put(keyRow(p.Group, p.Number), value), putHead(w, p.Group, &heads[i].head)); err != nil {
			return nil, err
		}
	}
	return rec.places, errors.Join(w.Put(keyRecord(in.id), rec.append(nil)), w.Put(keyArrived(now, in.id), nil), w.Keep(r.ref))
}

// xref is the value of an Xref field (RFC 5536 section 3.2.14).
func (s *Store) xref(places []Place) string {
	b := []byte(s.o.Host)
	for _, p := range places {
		b = append(append(append(b, ' '), p.Group...), ':')
		b = strconv.AppendInt(b, p.Number, 10)
	}
	return string(b)
}

// named is a group in a transaction.
type named struct {
	name string
	head head
}

// heads decides where an article goes.
func (s *Store) heads(r store.Reader, in *incoming, a Arrival) ([]*named, error) {
	there, err := present(r, in.groups)
	if err != nil {
		return nil, err
	}
	if len(there) == 0 {
		return nil, ErrNoGroup
	}
	closed := 0
	for _, g := range there {
		switch {
		case g.head.status == Closed, g.head.status == ReadOnly && a.Local:
			closed++
		case g.head.status == Moderated && !in.approved:
			return nil, fmt.Errorf("%w: %s", ErrModerated, g.name)
		}
	}
	if closed > 0 && (a.Local || closed == len(there)) {
		return nil, ErrReadOnly
	}
	if len(a.Groups) > 0 {
		instead, err := present(r, a.Groups)
		if err != nil {
			return nil, err
		}
		if len(instead) > 0 {
			return instead[:1], nil
		}
	}
	return slices.DeleteFunc(there, func(g *named) bool { return g.head.status == Closed }), nil
}

// present gives those of the groups that are there, each once.
func present(r store.Reader, names []string) ([]*named, error) {
	var out []*named
	for i, name := range names {
		if slices.Contains(names[:i], name) || strings.IndexByte(name, 0) >= 0 {
			continue
		}
		h, err := readHead(r, name)
		if errors.Is(err, ErrNoGroup) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, &named{name, h})
	}
	return out, nil
}
