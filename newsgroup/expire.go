package newsgroup

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/farend-go/farend/store"
)

// Cancel removes an article from all its groups; the history remembers it
// (RFC 5537 section 5.3). One that has not come yet is kept from coming: the
// cancel may have been faster. The error is the engine's, or ErrMalformed for
// what is no identifier.
func (s *Store) Cancel(ctx context.Context, id string) error {
	if id == "" || len(id) > maxID {
		return ErrMalformed
	}
	return s.engine.Update(ctx, func(w store.Writer) error {
		err := unplace(w, id, func(Place) bool { return true })
		if !errors.Is(err, ErrNoArticle) {
			return err
		}
		now := time.Now()
		rec := record{arrived: now.UnixNano()}
		return errors.Join(w.Put(keyRecord(id), rec.append(nil)), w.Put(keyArrived(now, id), nil))
	})
}

// maxID is how long an identifier may be (RFC 3977 section 3.6).
const maxID = 250

// unplace takes an article out of some of its places. ErrNoArticle.
func unplace(w store.Writer, id string, out func(Place) bool) error {
	rec, err := history(w, id)
	if err != nil {
		return err
	}
	var kept []Place
	var ref store.Ref
	for _, p := range rec.places {
		if !out(p) {
			kept = append(kept, p)
			continue
		}
		if ref, err = takeRow(w, p); err != nil {
			return err
		}
	}
	if len(kept) == len(rec.places) {
		return nil
	}
	rec.places = kept
	if len(kept) == 0 {
		if err := w.Drop(ref); err != nil {
			return err
		}
	}
	return w.Put(keyRecord(id), rec.append(nil))
}

// takeRow removes one row, and corrects the group.
func takeRow(w store.Writer, p Place) (store.Ref, error) {
	key := keyRow(p.Group, p.Number)
	v, err := w.Get(key)
	if err != nil {
		return "", err
	}
	r, err := parseRow(v)
	if err != nil {
		return "", err
	}
	h, err := anyHead(w, p.Group)
	if err != nil {
		return "", err
	}
	if err := w.Delete(key); err != nil {
		return "", err
	}
	h.count--
	if p.Number == h.low {
		h.low = h.high + 1
		for k := range w.Ascend(key, rowsEnd(p.Group)) {
			h.low = numberOf(k)
			break
		}
	}
	return r.ref, putHead(w, p.Group, &h)
}

// Expired counts what Expire did.
type Expired struct {
	Places    int // articles that went, counted in each of their groups
	Forgotten int // identifiers that the history knows no more
}

// expireBatch is how much of the history is gone through in one Update.
const expireBatch = 200

// Expire removes articles: keep tells how long those of a group stay after they
// arrived, 0 for ever. An article goes from each of its groups by itself, and
// its text with the last. The history forgets what is not here any more and came
// before Options.Remember. It may run beside everything else, and is safe to
// break off.
func (s *Store) Expire(ctx context.Context, keep func(group string) time.Duration) (Expired, error) {
	var done Expired
	from := []byte(kindArrived)
	for from != nil {
		var part Expired
		var next []byte
		now := time.Now()
		err := s.engine.Update(ctx, func(w store.Writer) (err error) {
			part, next, err = s.expireSome(w, from, now, keep)
			return err
		})
		if err != nil {
			return done, err
		}
		done.Places += part.Places
		done.Forgotten += part.Forgotten
		from = next
	}
	return done, nil
}

func (s *Store) expireSome(w store.Writer, from []byte, now time.Time, keep func(string) time.Duration) (done Expired, next []byte, err error) {
	type due struct {
		key []byte
		at  time.Time
		id  string
	}
	var some []due
	for k := range w.Ascend(from, after(kindArrived)) {
		if len(some) == expireBatch {
			next = bytes.Clone(k)
			break
		}
		at, id := timeOf(k)
		some = append(some, due{bytes.Clone(k), at, id})
	}
	for _, d := range some {
		age := now.Sub(d.at)
		err := unplace(w, d.id, func(p Place) bool {
			limit := keep(p.Group)
			out := limit > 0 && age > limit
			if out {
				done.Places++
			}
			return out
		})
		if err != nil {
			return done, nil, err
		}
		if s.o.Remember <= 0 || age <= s.o.Remember {
			continue
		}
		rec, err := history(w, d.id)
		if err != nil {
			return done, nil, err
		}
		if len(rec.places) > 0 {
			continue
		}
		if err := errors.Join(w.Delete(keyRecord(d.id)), w.Delete(d.key)); err != nil {
			return done, nil, err
		}
		done.Forgotten++
	}
	return done, next, nil
}
