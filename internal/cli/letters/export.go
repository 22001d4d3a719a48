package letters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/farend-go/farend/proto/imap"
)

// An Export brings what a mailbox has, and a Target lacks, into the Target.
type Export struct {
	Client  *imap.Client // logged in
	Mailbox string
	Search  *imap.Search // only what it finds; nil: all
	// Begin is told how many bytes there are to come, Moved how many have; nil:
	// nobody.
	Begin, Moved func(n int64)
}

// A Target is where messages of one mailbox go. It is used by one goroutine.
type Target interface {
	// Has are UIDs that are there, or that came once and were removed.
	Has() imap.Set
	// Add adds a message, whose lines end with CRLF; those before it are whole.
	Add(m Mail, text io.Reader) error
	// Close ends it; after an error, with what is whole.
	Close() error
}

// Mail is what is known of a message at a server.
type Mail struct {
	UID   uint32
	Flags []imap.Flag
	Date  time.Time
	Size  int64
	From  string // an address, "": unknown
}

// Run adds what the target lacks. open makes the target for a mailbox with that
// UIDVALIDITY, which Run closes. After an error what was added stays, and the
// next Run goes on.
func (ex *Export) Run(ctx context.Context, open func(uidValidity uint32) (Target, error)) (t Tally, err error) {
	c := ex.Client
	box, err := c.Examine(imap.Select{Name: ex.Mailbox}).Wait(ctx)
	if err != nil {
		return t, err
	}
	to, err := open(box.UIDValidity)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	wanted, err := ex.wanted(ctx, to.Has(), &t)
	if err != nil {
		return t, err
	}
	total := int64(0)
	for _, m := range wanted {
		total += m.Size
	}
	if ex.Begin != nil {
		ex.Begin(total)
	}
	for chunk := range slices.Chunk(wanted, 200) {
		if err := ex.fetch(ctx, chunk, to, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// wanted is what there is to know of the messages that the target lacks.
func (ex *Export) wanted(ctx context.Context, have imap.Set, t *Tally) ([]Mail, error) {
	all := imap.Set{{First: 1}}
	if ex.Search != nil {
		found, err := ex.Client.Search(*ex.Search, true).Wait(ctx)
		if err != nil || len(found.All) == 0 {
			return nil, err
		}
		all = found.All
	} else if ex.Client.Selected().Exists == 0 {
		return nil, nil
	}
	var wanted []Mail
	f := imap.Fetch{Where: imap.Where{UID: true, Set: all}, Items: []imap.FetchItem{
		{Name: imap.ItemUID}, {Name: imap.ItemFlags}, {Name: imap.ItemInternalDate}, {Name: imap.ItemSize}, {Name: imap.ItemEnvelope},
	}}
	for m, err := range ex.Client.Fetch(ctx, f) {
		switch {
		case err != nil:
			return nil, err
		case m.UID == 0 || !m.Has(imap.ItemSize): // told of somebody else's change
			continue
		case have.Contains(m.UID):
			t.There++
			continue
		}
		one := Mail{UID: m.UID, Flags: slices.Clone(m.Flags), Date: m.InternalDate, Size: m.Size}
		if e := m.Envelope; e != nil && len(e.From) > 0 && e.From[0].Host != "" {
			one.From = e.From[0].Mailbox + "@" + e.From[0].Host
		}
		wanted = append(wanted, one)
	}
	slices.SortFunc(wanted, func(a, b Mail) int { return int(int64(a.UID) - int64(b.UID)) })
	return wanted, nil
}

// fetch brings some messages.
func (ex *Export) fetch(ctx context.Context, some []Mail, to Target, t *Tally) error {
	var set imap.Set
	for _, m := range some {
		set.Add(m.UID)
	}
	f := imap.Fetch{Where: imap.Where{UID: true, Set: set}, Items: []imap.FetchItem{{Name: imap.ItemUID}, {Name: imap.BodySection, Peek: true}}}
	for m, err := range ex.Client.Fetch(ctx, f) {
		if err != nil {
			return err
		}
		text, err := m.Next()
		if err == io.EOF {
			continue
		}
		if err != nil {
			return err
		}
		i, found := slices.BinarySearchFunc(some, m.UID, func(m Mail, uid uint32) int { return int(int64(m.UID) - int64(uid)) })
		if !found {
			return fmt.Errorf("the server tells of no UID before a message: %w", imap.ErrStep)
		}
		if err := to.Add(some[i], &counted{text, ex.Moved}); err != nil {
			return err
		}
		t.Moved++
	}
	return nil
}

// counted tells what was read.
type counted struct {
	io.Reader
	moved func(n int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.moved != nil {
		c.moved(int64(n))
	}
	return n, err
}
