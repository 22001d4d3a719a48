package imap

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
)

// candidate is a message that is being looked at. It is opened when a key wants
// it, and its header read once.
type candidate struct {
	Info
	ctx    context.Context
	box    Mailbox
	msg    Message
	root   *message.Part
	header *message.Header
}

func (m *candidate) open() (err error) {
	if m.root != nil {
		return nil
	}
	if m.msg, err = m.box.Message(m.ctx, m.UID); err != nil {
		return err
	}
	m.root, err = m.msg.Structure(m.ctx)
	return err
}

func (m *candidate) close() {
	if m.msg != nil {
		_ = m.msg.Close() // it was only read
	}
}

func (m *candidate) envelope() (*message.Envelope, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	if m.root.Envelope == nil {
		return &message.Envelope{}, nil
	}
	return m.root.Envelope, nil
}

func (m *candidate) fields() (*message.Header, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	if m.header == nil {
		h, err := m.root.ReadHeader(m.msg, message.Limits{})
		if err != nil {
			return nil, err
		}
		m.header = &h
	}
	return m.header, nil
}

// test tells whether a message fits a key.
type test func(m *candidate) (bool, error)

func byInfo(f func(m *Info) bool) test {
	return func(m *candidate) (bool, error) { return f(&m.Info), nil }
}

// compile makes a test of a key.
func (s *session) compile(ctx context.Context, k *Key) (test, error) {
	switch k.Name {
	case "SET":
		uids, err := s.resolve(k.Where)
		return byInfo(func(m *Info) bool { return uids.Contains(m.UID) }), err
	case "AND", "OR", "NOT":
		var tests []test
		for i := range k.Keys {
			t, err := s.compile(ctx, &k.Keys[i])
			if err != nil {
				return nil, err
			}
			tests = append(tests, t)
		}
		return join(k.Name, tests), nil
	case "MODSEQ":
		return byInfo(func(m *Info) bool { return m.ModSeq >= uint64(k.Number) }), nil
	}
	if t := s.recentTest(k.Name); t != nil {
		return t, nil
	}
	if t := flagTest(k); t != nil {
		return t, nil
	}
	if t := infoTest(k); t != nil {
		return t, nil
	}
	return textTest(k), nil
}

// join joins tests; the ones that need not open the message come first, as far
// as the client has put them so.
func join(name string, tests []test) test {
	until := name == "OR" // what ends the row
	return func(m *candidate) (bool, error) {
		for _, t := range tests {
			yes, err := t(m)
			if err != nil {
				return false, err
			}
			if name == "NOT" {
				return !yes, nil
			}
			if yes == until {
				return until, nil
			}
		}
		return !until, nil
	}
}

// recentTest is for the keys that RFC 9051 has no longer.
func (s *session) recentTest(name string) test {
	recent := s.box.recent
	switch name {
	case "RECENT":
		return byInfo(func(m *Info) bool { return recent.Contains(m.UID) })
	case "OLD":
		return byInfo(func(m *Info) bool { return !recent.Contains(m.UID) })
	case "NEW":
		return byInfo(func(m *Info) bool { return recent.Contains(m.UID) && !HasFlag(m.Flags, Seen) })
	}
	return nil
}

// flagTest is for the keys that ask for flags.
func flagTest(k *Key) test {
	flag := Flag(k.Text)
	name, not := strings.CutPrefix(k.Name, "UN")
	switch name {
	case "ANSWERED":
		flag = Answered
	case "DELETED":
		flag = Deleted
	case "DRAFT":
		flag = Draft
	case "FLAGGED":
		flag = Flagged
	case "SEEN":
		flag = Seen
	case "KEYWORD":
	case "ALL", "SAVEDATESUPPORTED":
		return byInfo(func(*Info) bool { return true })
	default:
		return nil
	}
	return byInfo(func(m *Info) bool { return HasFlag(m.Flags, flag) != not })
}

// infoTest is for the keys that ask for what is known without opening a
// message.
func infoTest(k *Key) test {
	switch k.Name {
	case "LARGER":
		return byInfo(func(m *Info) bool { return m.Size > k.Number })
	case "SMALLER":
		return byInfo(func(m *Info) bool { return m.Size < k.Number })
	case "OLDER", "YOUNGER": // RFC 5032
		since := time.Now().Add(-time.Duration(min(k.Number, math.MaxInt64/int64(time.Second))) * time.Second)
		older := k.Name == "OLDER"
		return byInfo(func(m *Info) bool { return !m.InternalDate.After(since) == older })
	case "EMAILID":
		return byInfo(func(m *Info) bool { return m.EmailID == k.Text })
	case "THREADID":
		return byInfo(func(m *Info) bool { return m.ThreadID == k.Text })
	case "BEFORE", "ON", "SINCE":
		return byInfo(func(m *Info) bool { return onDay(k.Name, m.InternalDate, k.Day) })
	case "SAVEDBEFORE", "SAVEDON", "SAVEDSINCE":
		return byInfo(func(m *Info) bool { return !m.SaveDate.IsZero() && onDay(k.Name[5:], m.SaveDate, k.Day) })
	}
	return nil
}

// onDay compares days, each in its own zone (RFC 9051 section 6.4.4).
func onDay(how string, t, day time.Time) bool {
	y, m, d := t.Date()
	c := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Compare(day)
	switch how {
	case "BEFORE":
		return c < 0
	case "ON":
		return c == 0
	}
	return c >= 0
}

// textTest is for the keys that look into the message.
func textTest(k *Key) test {
	want := strings.ToLower(k.Text)
	switch k.Name {
	case "SENTBEFORE", "SENTON", "SENTSINCE":
		return func(m *candidate) (bool, error) {
			e, err := m.envelope()
			if err != nil {
				return false, err
			}
			sent, err := message.ParseDate(e.Date)
			if err != nil {
				sent = m.InternalDate // RFC 5256 section 2.2 has it so
			}
			return onDay(k.Name[4:], sent, k.Day), nil
		}
	case "SUBJECT":
		return func(m *candidate) (bool, error) {
			e, err := m.envelope()
			return err == nil && contains(message.DecodeText(e.Subject), want), err
		}
	case "FROM", "TO", "CC", "BCC":
		return func(m *candidate) (bool, error) {
			e, err := m.envelope()
			return err == nil && anyAddress(addressesFor(e, k.Name), want), err
		}
	case "HEADER":
		return func(m *candidate) (bool, error) {
			h, err := m.fields()
			return err == nil && inHeader(h, k.Field, want), err
		}
	case "BODY":
		return func(m *candidate) (bool, error) {
			if err := m.open(); err != nil {
				return false, err
			}
			return inBody(m.ctx, m.msg, m.root, want)
		}
	}
	return func(m *candidate) (bool, error) { // TEXT
		h, err := m.fields()
		if err != nil || inHeader(h, "", want) {
			return err == nil, err
		}
		return inBody(m.ctx, m.msg, m.root, want)
	}
}

func addressesFor(e *message.Envelope, key string) []message.Address {
	switch key {
	case "FROM", "DISPLAYFROM":
		return e.From
	case "CC":
		return e.Cc
	case "BCC":
		return e.Bcc
	}
	return e.To
}

func contains(text, lower string) bool { return strings.Contains(strings.ToLower(text), lower) }

func anyAddress(list []message.Address, want string) bool {
	return slices.ContainsFunc(list, func(a message.Address) bool {
		return contains(a.Name, want) || contains(a.Spec(), want) || anyAddress(a.Members, want)
	})
}

// inHeader looks through the fields of a name, or through all of them, names
// and all.
func inHeader(h *message.Header, field, want string) bool {
	return slices.ContainsFunc(h.Fields, func(f message.Field) bool {
		if field == "" {
			return contains(f.Name+": "+f.Text(), want)
		}
		return strings.EqualFold(f.Name, field) && contains(f.Text(), want)
	})
}

// found is the outcome of a search.
type found struct {
	uids   Set
	modseq uint64 // the highest; 0 where the search did not ask
}

// look finds the messages that fit a key, and calls each with them.
func (s *session) look(ctx context.Context, key *Key, each func(m *candidate) error) (found, error) {
	var f found
	t, err := s.compile(ctx, key)
	if err != nil {
		return f, err
	}
	uids, err := s.narrow(ctx, key)
	if err != nil {
		return f, err
	}
	asked := key.Uses(func(k *Key) bool { return k.Name == "MODSEQ" })
	if asked {
		s.enabled.condstore = true
	}
	for info, err := range s.box.box.Messages(ctx, uids) {
		if err != nil {
			return f, err
		}
		m := &candidate{Info: info, ctx: ctx, box: s.box.box}
		yes, err := t(m)
		if err == nil && yes && each != nil {
			err = each(m)
		}
		m.close()
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return f, err
		}
		if yes {
			f.uids.Add(info.UID)
			if asked {
				f.modseq = max(f.modseq, info.ModSeq)
			}
		}
		if err := ctx.Err(); err != nil {
			return f, &ending{err}
		}
	}
	return f, nil
}

// narrow finds which messages a search need look at: keys that are sets, and
// that all must fit, say so.
func (s *session) narrow(ctx context.Context, key *Key) (Set, error) {
	uids := s.box.all()
	keys := []Key{*key}
	if key.Name == "AND" {
		keys = key.Keys
	}
	for i := range keys {
		switch k := &keys[i]; {
		case k.Name == "SET":
			set, err := s.resolve(k.Where)
			if err != nil {
				return nil, err
			}
			uids = uids.Intersect(set)
		case k.Name == "MODSEQ" && k.Number > 1:
			ch, err := s.box.box.Changes(ctx, uint64(k.Number-1))
			if err != nil {
				return nil, err
			}
			uids = uids.Intersect(ch.Changed)
		}
	}
	return uids, nil
}

// errCharset is a charset that nobody here knows (RFC 9051 section 6.4.4).
var errCharset = Status{NO, Code{CodeBadCharset, "(UTF-8 US-ASCII)"}, "Unknown charset"}

func knownCharset(name string) bool {
	return name == "" || strings.EqualFold(name, "UTF-8") || strings.EqualFold(name, "US-ASCII")
}

// search is SEARCH and UID SEARCH (RFC 9051 section 6.4.4, RFC 5182, RFC 9394).
func (s *session) search(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseSearch(c.Args)
	if err != nil {
		return Status{}, err
	}
	f, err := found{}, error(errCharset)
	if knownCharset(cmd.Charset) {
		f, err = s.look(ctx, &cmd.Key, nil)
	}
	if err != nil {
		if told, ok := errors.AsType[Status](err); cmd.Return != nil && cmd.Return.Save && !(ok && told.Kind == BAD) {
			s.saved = nil // RFC 5182 section 2.1
		}
		return Status{}, err
	}
	if cmd.Return == nil && !s.enabled.rev2 {
		r := Found{ModSeq: f.modseq, Numbers: make([]uint32, 0, f.uids.Count())}
		for n := range s.numbers(f.uids, c.UID).All() {
			r.Numbers = append(r.Numbers, n)
		}
		s.response("SEARCH", r.Append)
		return Status{}, nil
	}
	want := Return{}
	if cmd.Return != nil {
		want = *cmd.Return
	}
	s.extended(c, want, f)
	return Status{}, nil
}

// numbers gives UIDs as the client wants them.
func (s *session) numbers(uids Set, uid bool) Set {
	if uid {
		return uids
	}
	return s.box.seqs(uids)
}

// extended answers with ESEARCH, and keeps what is to be saved.
func (s *session) extended(c Command, want Return, f found) {
	if want == (Return{}) {
		want.All = true
	}
	numbers := s.numbers(f.uids, c.UID)
	r := ESearch{Tag: c.Tag, UID: c.UID, Count: -1, ModSeq: f.modseq}
	if len(numbers) > 0 {
		if want.Min {
			r.Min = numbers[0].First
		}
		if want.Max {
			r.Max = numbers.Largest()
		}
		if want.All {
			r.All = numbers
		}
	}
	if want.Count {
		r.Count = int64(numbers.Count())
	}
	if want.Page != nil {
		r.Page, r.PageSet = want.Page, want.Page.of(numbers)
	}
	if want.Save {
		s.saved = saves(want, f.uids)
		if !want.Min && !want.Max && !want.All && !want.Count && want.Page == nil {
			return // RFC 5182 section 2.1: then there is no answer
		}
	}
	s.response("ESEARCH", r.Append)
}

// saves is what SAVE keeps (RFC 5182 section 2.4, RFC 9394 section 3.3).
func saves(want Return, uids Set) Set {
	if len(uids) == 0 || want.All || want.Count {
		return uids
	}
	var kept Set
	if want.Page != nil {
		kept = want.Page.of(uids)
	}
	if want.Min {
		kept = kept.Union(One(uids[0].First))
	}
	if want.Max {
		kept = kept.Union(One(uids.Largest()))
	}
	if !want.Min && !want.Max && want.Page == nil {
		return uids
	}
	return kept
}
