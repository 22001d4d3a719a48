package newsgroup

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/store"
)

// Errors of this package; those of the engine come through beside them.
var (
	// ErrNoGroup is a group that is not there, or an article none of whose
	// groups is.
	ErrNoGroup = errors.New("newsgroup: no such group")
	// ErrNoArticle is an article that is not there, or no more.
	ErrNoArticle = errors.New("newsgroup: no such article")
	// ErrExists is a group that is there already.
	ErrExists = errors.New("newsgroup: the group is there already")
	// ErrName is a name that no group can have, or a Status that there is not.
	ErrName = errors.New("newsgroup: not a name for a group")
	// ErrDuplicate is an article that is here, or was.
	ErrDuplicate = errors.New("newsgroup: the article is known already")
	// ErrModerated is an article for a moderated group that nobody approved.
	ErrModerated = errors.New("newsgroup: the group is moderated")
	// ErrReadOnly is an article for a group that takes none from here.
	ErrReadOnly = errors.New("newsgroup: no articles may be posted to the group")
	// ErrTooBig is an article above the limit.
	ErrTooBig = errors.New("newsgroup: article too big")
	// ErrTooOld is an article of a time that the history has forgotten.
	ErrTooOld = errors.New("newsgroup: article too old")
	// ErrMalformed is a text that is no article.
	ErrMalformed = errors.New("newsgroup: not an article")
)

// Options say how news is kept. The zero value keeps everything.
type Options struct {
	// Host is the name of this server in Xref fields; "": localhost.
	Host string
	// MaxArticle is the largest article, in octets; 0: no limit.
	MaxArticle int64
	// Overview are the names of fields that the overview has behind the eight
	// of every server (RFC 3977 section 8.4 and Xref). It is not to be changed
	// while there are articles: those that are there keep what they have.
	Overview []string
	// Remember is for how long the history knows an article after it arrived,
	// when it is here no more. Articles with a Date before that are ErrTooOld.
	// 0: for ever.
	Remember time.Duration
}

// A Store keeps news in an engine. Its methods, and those of what it hands out,
// may be called concurrently.
type Store struct {
	engine store.Engine
	o      Options
}

// New gives the news in an engine, which stays the caller's to close.
func New(e store.Engine, o Options) *Store {
	if o.Host == "" {
		o.Host = "localhost"
	}
	return &Store{engine: e, o: o}
}

// Overview are the names of all fields of an overview, as LIST OVERVIEW.FMT says
// them (RFC 3977 section 8.4).
func (s *Store) Overview() []string {
	all := []string{"Subject:", "From:", "Date:", "Message-ID:", "References:", ":bytes", ":lines", "Xref:full"}
	for _, name := range s.o.Overview {
		all = append(all, name+":full")
	}
	return all
}

// A Status says what a group takes (RFC 3977 section 7.6.3, RFC 6048 section
// 3.1).
type Status byte

// The statuses.
const (
	Open      Status = 'y' // articles from everybody
	ReadOnly  Status = 'n' // articles from other servers only
	Moderated Status = 'm' // articles that its moderator approved
	Closed    Status = 'x' // no articles
)

// NewGroup is a group to be made.
type NewGroup struct {
	Name        string
	Status      Status // 0: Open
	Description string // one line
	Creator     string // mostly an address; "": unknown
}

// A Group is what is known of a group.
type Group struct {
	Name             string
	Status           Status
	Description      string
	Creator          string
	Created          time.Time
	Low, High, Count int64 // Low is above High where there is no article
}

func (h *head) group(name string) Group {
	return Group{
		Name: name, Status: h.status, Description: h.description, Creator: h.creator,
		Created: time.Unix(0, h.created), Low: h.low, High: h.high, Count: h.count,
	}
}

func (s Status) valid() bool { return s == Open || s == ReadOnly || s == Moderated || s == Closed }

// Create makes a group. One that was removed goes on with its numbers.
// ErrExists, ErrName.
func (s *Store) Create(ctx context.Context, g NewGroup) error {
	if g.Status == 0 {
		g.Status = Open
	}
	if !message.ValidNewsgroup(g.Name) || len(g.Name) > maxName || !g.Status.valid() {
		return ErrName
	}
	return s.engine.Update(ctx, func(w store.Writer) error {
		h, err := anyHead(w, g.Name)
		switch {
		case err == nil && !h.removed:
			return ErrExists
		case errors.Is(err, ErrNoGroup):
			h = head{low: 1}
		case err != nil:
			return err
		}
		h.removed, h.status, h.created = false, g.Status, time.Now().UnixNano()
		h.creator, h.description = clean(g.Creator), clean(g.Description)
		return putHead(w, g.Name, &h)
	})
}

// anyHead reads a group, also a removed one.
func anyHead(r store.Reader, name string) (head, error) {
	v, err := r.Get(keyGroup(name))
	if errors.Is(err, store.ErrNotFound) || name == "" || len(name) > maxName {
		return head{}, ErrNoGroup
	}
	if err != nil {
		return head{}, err
	}
	return parseHead(v)
}

func readHead(r store.Reader, name string) (head, error) {
	h, err := anyHead(r, name)
	if err == nil && h.removed {
		err = ErrNoGroup
	}
	return h, err
}

func putHead(w store.Writer, name string, h *head) error { return w.Put(keyGroup(name), h.append(nil)) }

// Change sets what a group takes, and its description. ErrNoGroup, ErrName.
func (s *Store) Change(ctx context.Context, name string, status Status, description string) error {
	if !status.valid() {
		return ErrName
	}
	return s.engine.Update(ctx, func(w store.Writer) error {
		h, err := readHead(w, name)
		if err != nil {
			return err
		}
		h.status, h.description = status, clean(description)
		return putHead(w, name, &h)
	})
}

// Remove removes a group; articles that are in no other go with it. ErrNoGroup.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.engine.Update(ctx, func(w store.Writer) error {
		h, err := readHead(w, name)
		if err != nil {
			return err
		}
		var ids []string
		for _, v := range w.Ascend(keyRows(name), rowsEnd(name)) {
			r, err := parseRow(v)
			if err != nil {
				return err
			}
			ids = append(ids, idOf(r.overview))
		}
		for _, id := range ids {
			if err := unplace(w, id, func(p Place) bool { return p.Group == name }); err != nil {
				return err
			}
		}
		h.low, h.count, h.removed = h.high+1, 0, true
		return putHead(w, name, &h)
	})
}

// Group gives a group. ErrNoGroup.
func (s *Store) Group(ctx context.Context, name string) (g Group, err error) {
	err = s.engine.View(ctx, func(r store.Reader) error {
		h, err := readHead(r, name)
		g = h.group(name)
		return err
	})
	return g, err
}

// Groups gives all groups in the order of their names. It reads some hundreds at
// a time: between them others may change them.
func (s *Store) Groups(ctx context.Context) iter.Seq2[Group, error] {
	return pages(func(from []byte) ([]Group, []byte, error) {
		if from == nil {
			from = []byte(kindGroup)
		}
		var page []Group
		var next []byte
		err := s.engine.View(ctx, func(r store.Reader) error {
			page, next = nil, nil
			for k, v := range r.Ascend(from, after(kindGroup)) {
				if len(page) == pageSize {
					next = append([]byte(nil), k...)
					return nil
				}
				h, err := parseHead(v)
				if err != nil {
					return err
				}
				if !h.removed {
					page = append(page, h.group(string(k[len(kindGroup):])))
				}
			}
			return nil
		})
		return page, next, err
	})
}

// pageSize is how much of a listing is read in one transaction.
const pageSize = 500

// pages yields what read gives, page by page: read gets the key at which the
// next page begins, nil at first, and gives that of the one after it, nil at the
// end.
func pages[T any](read func(from []byte) (page []T, next []byte, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var from []byte
		for {
			page, next, err := read(from)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			from = next
		}
	}
}
