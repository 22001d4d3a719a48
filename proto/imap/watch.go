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

// A Watcher tells of new mail for ever. A server with NOTIFY (RFC 5465) sends
// what there is to tell of a message unasked, one with IDLE says that there is
// something, and any other is asked now and then. A connection that is lost is
// made again, without missing a message or telling of one twice. Its fields are
// set before it is used; it may be used by several goroutines.
type Watcher struct {
	// Dial opens a session and logs in.
	Dial func(ctx context.Context) (*Client, error)
	// Renew is after how long a connection on which nothing comes is tried; 0:
	// 25 minutes. Servers end an IDLE after 30 (RFC 2177), and a router between
	// may forget the connection much earlier.
	Renew time.Duration
	Poll  time.Duration // how often a server that cannot tell is asked; 0: a minute
	// NoNotify and NoIdle do without what the server has; both: it is asked.
	NoNotify, NoIdle bool
	// Backoff is how long it waits before it connects again; that doubles with
	// each failure up to MaxBackoff. 0: a second, and 5 minutes.
	Backoff, MaxBackoff time.Duration
	// Items is what is told of each message beside its UID; nil: FLAGS,
	// INTERNALDATE, RFC822.SIZE and ENVELOPE.
	Items []FetchItem
	// Changes has it also tell of messages that are gone and of flags that
	// change, also while there was no connection: by QRESYNC (RFC 7162), else by
	// CONDSTORE, else by a look at all UIDs and flags.
	Changes bool
	// From is where to begin; zero: with what comes from now on.
	From Mark
	Log  *slog.Logger // lost connections; nil: nobody
}

// A Mark is a place in a mailbox: what has a higher UID came later. ModSeq is
// that up to which changes have been told; 0: unknown, or nobody asked.
type Mark struct {
	UIDValidity, UID uint32
	ModSeq           uint64
}

// News is a message that is new; or, with Reset, Changed or Gone, something
// else.
type News struct {
	*Fetched      // nil where Reset or Gone
	Mark     Mark // Watcher.From of whoever goes on behind it
	// Reset says that the mailbox is another one, with other UIDs; what lies in
	// it already is not told of.
	Reset bool
	// Changed says that an older message has these flags now. Of a server
	// without CONDSTORE that is told of what changed since the first look, else
	// since From.
	Changed bool
	// Gone are messages that are no longer there. Of what went before the first
	// look it is told only by a server with QRESYNC, and perhaps not for the first
	// time.
	Gone Set
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
			case errors.Is(err, errLeft):
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

// wait returns when there may be something new.
func (s *watching) wait(ctx context.Context, c *Client) error {
	quiet, cancel := context.WithTimeout(ctx, orElse(s.w.Renew, 25*time.Minute))
	defer cancel()
	var err error
	idle := !s.w.NoIdle && (s.caps.Has("IDLE") || s.caps.Has("IMAP4REV2"))
	switch {
	case s.notified && idle: // dovecot 2.3 forgets to tell now and then without
		err = c.attend(quiet, "IDLE", s.pushed(c))
	case s.notified:
		err = c.attend(quiet, "NOOP", s.pushed(c))
	case idle:
		err = c.Idle(quiet, func(r Response) bool { return !s.stirs(r) })
	default:
		if err := sleep(ctx, orElse(s.w.Poll, time.Minute)); err != nil {
			return err
		}
		_, err := c.Noop().Wait(ctx)
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !c.Broken() {
		return nil // the connection is there
	}
	return err
}

// stirs tells what there is to look after.
func (s *watching) stirs(r Response) bool {
	switch r.Name {
	case "EXISTS":
		return true
	case "EXPUNGE", "VANISHED", "FETCH":
		return s.w.Changes
	}
	return false
}

// notify has the server tell unasked. One that refuses is asked otherwise.
func (s *watching) notify(ctx context.Context, c *Client) error {
	s.notified = false
	if s.w.NoNotify || !s.caps.Has("NOTIFY") {
		return nil
	}
	g := NotifyGroup{Filter: "SELECTED", Events: []string{EventMessageNew, EventMessageExpunge}, Items: s.items()}
	if s.w.Changes {
		g.Events = append(g.Events, EventFlagChange)
	}
	_, err := c.Notify(Notify{Groups: []NotifyGroup{g}}).Wait(ctx)
	s.notified = err == nil
	if refused(err) {
		return nil
	}
	return err
}

// pushed takes in what the server tells unasked: a message that is the next one,
// with all that is to be known of it, is told at once; all else is looked after.
func (s *watching) pushed(c *Client) func(r Response, m *Fetched) bool {
	next := c.Selected().Exists + 1
	return func(r Response, m *Fetched) bool {
		switch {
		case m == nil && r.Name == "OK":
			st, err := r.Status()
			s.notified = err != nil || st.Code.Name != "NOTIFICATIONOVERFLOW" // RFC 5465 section 5.8
			return s.notified
		case m == nil:
			return r.Name == "EXISTS" || !s.stirs(r) && r.Name != "EXPUNGE" && r.Name != "VANISHED"
		case m.Seq == next && m.UID > s.mark.UID && len(m.Items) >= len(s.items()):
			next++
			s.left = !s.fresh(m)
			return !s.left
		}
		return m.UID > 0 && m.UID <= s.mark.UID && !s.w.Changes
	}
}
