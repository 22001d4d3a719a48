package imap

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/farend-go/farend/auth"
)

// A Watcher tells of new mail for ever: it waits by IDLE, or asks now and then
// where the server has no IDLE, and connects again when a connection is lost,
// without missing a message or telling of one twice. Its fields are set before
// it is used; it may be used by several goroutines.
type Watcher struct {
	// Dial opens a session and logs in.
	Dial func(ctx context.Context) (*Client, error)
	// Renew is how long one IDLE lasts; 0: 25 minutes. Servers end it after 30
	// (RFC 2177), and a router between may forget the connection much earlier.
	Renew time.Duration
	Poll  time.Duration // how often a server without IDLE is asked; 0: a minute
	// NoIdle polls although the server has IDLE.
	NoIdle bool
	// Backoff is how long it waits before it connects again; that doubles with
	// each failure up to MaxBackoff. 0: a second, and 5 minutes.
	Backoff, MaxBackoff time.Duration
	// Items is what is told of each message beside its UID; nil: FLAGS,
	// INTERNALDATE, RFC822.SIZE and ENVELOPE.
	Items []FetchItem
	// From is where to begin; zero: with the mail that comes from now on.
	From Mark
	Log  *slog.Logger // lost connections; nil: nobody
}

// A Mark is a place in a mailbox: what has a higher UID came later.
type Mark struct{ UIDValidity, UID uint32 }

// News is a message that is new.
type News struct {
	*Fetched      // nil where Reset
	Mark     Mark // Watcher.From of whoever goes on behind it
	// Reset says that the mailbox is another one, with other UIDs; what lies in
	// it already is not told of.
	Reset bool
}

// Watch tells of each message that comes into a mailbox. The loop ends with an
// error: that of ctx; auth.ErrRefused and ErrNonExistent at any time, and any
// other where the first session cannot be had. All else is tried again.
func (w *Watcher) Watch(ctx context.Context, mailbox string) iter.Seq2[News, error] {
	return func(yield func(News, error) bool) {
		s := &watching{w: w, mailbox: mailbox, mark: w.From, yield: yield}
		for failed := 0; ; failed++ {
			well, err := s.session(ctx)
			switch {
			case err == nil: // the loop was left
				return
			case ctx.Err() != nil:
				yield(News{}, ctx.Err())
				return
			case !s.stood || final(err):
				yield(News{}, fmt.Errorf("imap: watching %q: %w", mailbox, err))
				return
			}
			if well {
				failed = 0
			}
			pause := w.pause(failed)
			if w.Log != nil {
				w.Log.LogAttrs(ctx, slog.LevelWarn, "imap: the connection is lost", slog.String("mailbox", mailbox),
					slog.Duration("again", pause), slog.Any("error", err))
			}
			if err := sleep(ctx, pause); err != nil {
				yield(News{}, err)
				return
			}
		}
	}
}

// final tells what another try will not mend.
func final(err error) bool {
	return errors.Is(err, auth.ErrRefused) || errors.Is(err, ErrNonExistent)
}

// pause is how long to wait before another session, not always the same.
func (w *Watcher) pause(failed int) time.Duration {
	d, most := orElse(w.Backoff, time.Second), orElse(w.MaxBackoff, 5*time.Minute)
	d = min(d<<min(failed, 20), most)
	return d - rand.N(d/4+1)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watching is a loop over Watch.
type watching struct {
	w       *Watcher
	mailbox string
	mark    Mark
	yield   func(News, error) bool
	stood   bool // there was a session
}

// session watches until the connection is lost; nil: the loop was left. well
// tells that the session had begun to wait.
func (s *watching) session(ctx context.Context) (well bool, err error) {
	c, err := s.w.Dial(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	box, err := c.Examine(Select{Name: s.mailbox}).Wait(ctx)
	if err != nil {
		return false, err
	}
	s.stood = true
	if s.mark.UIDValidity != box.UIDValidity {
		reset := s.mark.UIDValidity != 0
		last, err := lastUID(ctx, c, box)
		if err != nil {
			return false, err
		}
		s.mark = Mark{box.UIDValidity, last}
		if reset && !s.yield(News{Mark: s.mark, Reset: true}, nil) {
			return true, nil
		}
	}
	for {
		known := c.Selected().Exists
		more, err := s.tell(ctx, c)
		if err != nil || !more {
			return well, err
		}
		if c.Selected().Exists > known { // it came while we asked
			continue
		}
		if err := s.wait(ctx, c); err != nil {
			return true, err
		}
		well = true
	}
}

// lastUID is the largest UID that was ever given, or that there is.
func lastUID(ctx context.Context, c *Client, box *Selected) (uint32, error) {
	if box.UIDNext > 0 {
		return box.UIDNext - 1, nil
	}
	found, err := c.Search(Search{Key: Key{Name: "ALL"}}, true).Wait(ctx)
	return found.All.Largest(), err
}

// tell asks for what is new.
func (s *watching) tell(ctx context.Context, c *Client) (more bool, err error) {
	if s.mark.UID == 1<<32-1 {
		return true, nil
	}
	items := s.w.Items
	if items == nil {
		items = []FetchItem{{Name: ItemFlags}, {Name: ItemInternalDate}, {Name: ItemSize}, {Name: ItemEnvelope}}
	}
	where := Where{UID: true, Set: Set{{First: s.mark.UID + 1}}} // up to "*", the last, even if that is old
	all, err := c.FetchAll(Fetch{Where: where, Items: append([]FetchItem{{Name: ItemUID}}, items...)}).Wait(ctx)
	if err != nil {
		return false, err
	}
	for _, m := range all {
		if m.UID <= s.mark.UID {
			continue
		}
		s.mark.UID = m.UID
		if !s.yield(News{Fetched: m, Mark: s.mark}, nil) {
			return false, nil
		}
	}
	return true, nil
}

// wait returns when there may be something new.
func (s *watching) wait(ctx context.Context, c *Client) error {
	caps, err := c.Capabilities(ctx)
	if err != nil {
		return err
	}
	if s.w.NoIdle || !caps.Has("IDLE") && !caps.Has("IMAP4REV2") {
		if err := sleep(ctx, orElse(s.w.Poll, time.Minute)); err != nil {
			return err
		}
		_, err := c.Noop().Wait(ctx)
		return err
	}
	idle, cancel := context.WithTimeout(ctx, orElse(s.w.Renew, 25*time.Minute))
	defer cancel()
	err = c.Idle(idle, func(r Response) bool { return r.Name != "EXISTS" })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !c.Broken() {
		return nil // that one was long enough
	}
	return err
}
