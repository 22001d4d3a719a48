package letters

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/proto/imap"
)

// An Import brings what a Source has, and a mailbox lacks, into the mailbox.
type Import struct {
	Client  *imap.Client // logged in
	Mailbox string
	Create  bool // make the mailbox if it is missing
	// Moved is told how many bytes of the Source are done with; nil: nobody.
	Moved func(n int64)
	// Failed is told of letters that the server does not take; nil: nobody.
	Failed func(l Letter, err error)
}

// A Tally is what was done.
type Tally struct {
	Moved  int // messages
	There  int // that were there before
	Failed int // that the other end did not take
}

// Run appends what the mailbox lacks. Messages are known by their Message-ID, and
// without one by date, sender, subject and size; of two that are alike there
// will be two. After an error what was appended stays, and the next Run goes on.
func (im *Import) Run(ctx context.Context, src *Source) (t Tally, err error) {
	there, err := im.there(ctx)
	if err != nil {
		return t, err
	}
	var batch []Letter
	size := 0
	send := func() error {
		err := im.send(ctx, batch, &t)
		for _, l := range batch {
			im.moved(l.Size)
		}
		batch, size = batch[:0], 0
		return err
	}
	for l, err := range src.All() {
		if err != nil {
			return t, errors.Join(err, send())
		}
		header, _ := split(l.Text)
		if key := keyOf(header, int64(len(l.Text))); there[key] > 0 {
			there[key]--
			t.There++
			im.moved(l.Size)
			continue
		}
		batch = append(batch, l)
		if size += len(l.Text); size >= batchSize || len(batch) == batchMost {
			if err := send(); err != nil {
				return t, err
			}
		}
	}
	return t, send()
}

// A batch travels as one command where the server has MULTIAPPEND.
const (
	batchSize = 1 << 20
	batchMost = 100
)

func (im *Import) moved(n int64) {
	if im.Moved != nil {
		im.Moved(n)
	}
}

// there counts what the mailbox has.
func (im *Import) there(ctx context.Context) (map[string]int, error) {
	c := im.Client
	_, err := c.Examine(imap.Select{Name: im.Mailbox}).Wait(ctx)
	if s, ok := errors.AsType[imap.Status](err); ok && s.Kind == imap.NO && im.Create {
		if _, err = c.Create(im.Mailbox).Wait(ctx); err == nil {
			_, err = c.Examine(imap.Select{Name: im.Mailbox}).Wait(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	have := map[string]int{}
	if c.Selected().Exists == 0 {
		return have, nil
	}
	f := imap.Fetch{Where: imap.Where{UID: true, Set: imap.Set{{First: 1}}}, Items: []imap.FetchItem{
		{Name: imap.ItemSize}, {Name: imap.BodySection, Peek: true, Section: imap.Section{Text: "HEADER.FIELDS", Fields: keyFields}},
	}}
	for m, err := range c.Fetch(ctx, f) {
		if err == nil {
			err = m.Read()
		}
		if err != nil {
			return nil, err
		}
		if len(m.Pieces) == 1 {
			have[keyOf(m.Pieces[0].Data, m.Size)]++
		}
	}
	return have, nil
}

var keyFields = []string{"MESSAGE-ID", "DATE", "FROM", "SUBJECT"}

// keyOf is by what a message is known.
func keyOf(header []byte, size int64) string {
	var values [4]string
	for name, value := range fields(message.SelectFields(nil, header, keyFields, false)) {
		i := slices.IndexFunc(keyFields, func(f string) bool { return strings.EqualFold(f, name) })
		if i >= 0 && values[i] == "" {
			values[i] = value
		}
	}
	if values[0] != "" {
		return "id " + values[0]
	}
	return fmt.Sprintf("%x %d", sha256.Sum256([]byte(strings.Join(values[:], "\n"))), size)
}

// send appends letters. Where the server takes none of several it is asked for
// each, so that only the one goes without.
func (im *Import) send(ctx context.Context, batch []Letter, t *Tally) error {
	if len(batch) == 0 {
		return nil
	}
	caps, err := im.Client.Capabilities(ctx)
	if err != nil {
		return err
	}
	if caps.Has("MULTIAPPEND") && len(batch) > 1 {
		_, err := im.Client.Append(im.Mailbox, uploads(batch, caps)...).Wait(ctx)
		if err == nil {
			t.Moved += len(batch)
		}
		if _, refused := errors.AsType[imap.Status](err); !refused || im.Client.Broken() {
			return err
		}
	}
	for _, l := range batch {
		_, err := im.Client.Append(im.Mailbox, uploads([]Letter{l}, caps)...).Wait(ctx)
		s, refused := errors.AsType[imap.Status](err)
		switch {
		case err == nil:
			t.Moved++
		case !refused || im.Client.Broken() || slices.Contains(final, s.Code.Name):
			return fmt.Errorf("%s: %w", l.Name, err)
		default:
			t.Failed++
			if im.Failed != nil {
				im.Failed(l, err)
			}
		}
	}
	return nil
}

// final are refusals that the next letter meets, too.
var final = []string{
	imap.CodeOverQuota, imap.CodeTryCreate, imap.CodeNonExistent, imap.CodeNoPerm, imap.CodeReadOnly, imap.CodeUnavailable, imap.CodeServerBug,
}

func uploads(batch []Letter, caps imap.Capabilities) []imap.Upload {
	all := make([]imap.Upload, len(batch))
	for i, l := range batch {
		header, _ := split(l.Text)
		all[i] = imap.Upload{
			NewMessage: imap.NewMessage{Size: int64(len(l.Text)), Flags: l.Flags, Date: l.Date}, Body: bytes.NewReader(l.Text),
			UTF8:   slices.ContainsFunc(header, func(c byte) bool { return c >= 0x80 }),
			Binary: caps.Has("BINARY") && bytes.IndexByte(l.Text, 0) >= 0,
		}
	}
	return all
}
