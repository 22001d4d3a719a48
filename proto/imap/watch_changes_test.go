package imap_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/proto/imap"
)

// box is somebody's mailbox, as others change it.
func (t *toy) box(user, name string) *toyBox {
	a := t.account(user)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.boxes[name]
}

// flag sets a message's flags, as another session does.
func (b *toyBox) flag(t *testing.T, uid uint32, flags ...imap.Flag) {
	t.Helper()
	if _, err := b.Store(t.Context(), imap.One(uid), imap.Replace, flags, nil); err != nil {
		t.Error(err)
	}
}

// take removes a message at once, so that nobody sees \Deleted.
func (b *toyBox) take(uid uint32) {
	b.acc.mu.Lock()
	defer b.acc.changed(b)
	b.acc.modseq++
	b.drop(imap.One(uid))
}

// line is what is told, as text.
func line(n imap.News, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case n.Reset:
		return fmt.Sprintf("reset %d", n.Mark.UID)
	case n.Gone != nil:
		return "gone " + n.Gone.String()
	case n.Changed:
		return fmt.Sprintf("changed %d %v", n.UID, n.Flags)
	}
	return fmt.Sprintf("new %d", n.UID)
}

// TestWatchChanges tells of all that others do, live and while the connection
// was lost, whatever the server can do.
func TestWatchChanges(t *testing.T) {
	users()
	for name, hide := range abilities() {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { watchChanges(t, hide) }) })
	}
}

func watchChanges(t *testing.T, hide []string) {
	b := filled()
	p, stop := pipesTo(t, b)
	defer stop()
	p.hide = hide
	ctx, cancel := context.WithCancel(t.Context())
	w := &imap.Watcher{Dial: p.dial, Changes: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	told := make(chan string, 20)
	ended := make(chan error, 1)
	go func() {
		var last error
		for n, err := range w.Watch(ctx, "INBOX") {
			if last = err; err == nil {
				told <- line(n, err)
			}
		}
		ended <- last
	}()
	expect := func(want ...string) {
		t.Helper()
		<-time.After(10 * time.Minute) // of the test's own clock
		synctest.Wait()
		var got []string
		for len(told) > 0 {
			got = append(got, <-told)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	box := b.box("mrc", "INBOX")
	expect()
	b.put("mrc", "INBOX", note)
	expect("new 4")
	box.flag(t, 2, imap.Flagged)
	expect(`changed 2 [\Flagged]`)
	box.flag(t, 4, imap.Seen)
	expect(`changed 4 [\Seen]`)
	box.take(1)
	expect("gone 1")
	p.cut(true)
	b.put("mrc", "INBOX", note, note)
	box.flag(t, 3, imap.Answered)
	box.take(4)
	box.take(5)
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	expect("gone 4", "new 6", `changed 3 [\Answered]`)
	p.cut(false)
	expect()
	box.flag(t, 3)
	expect("changed 3 []")
	p.cut(true)
	box.acc.mu.Lock()
	box.acc.modseq += 100
	fresh := box.acc.make("INBOX")
	box.acc.mu.Unlock()
	b.put("mrc", "INBOX", note, note)
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	expect("reset 2")
	b.put("mrc", "INBOX", note)
	fresh.take(1)
	expect("gone 1", "new 3")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestWatchFromChanges goes on where another Watcher was.
func TestWatchFromChanges(t *testing.T) {
	users()
	synctest.Test(t, func(t *testing.T) {
		b := filled()
		p, stop := pipesTo(t, b)
		defer stop()
		w := &imap.Watcher{Dial: p.dial, Changes: true}
		box := b.box("mrc", "INBOX")
		next := func(n int, act func()) (got []string) {
			if act != nil {
				timer := time.AfterFunc(time.Minute, act)
				defer timer.Stop()
			}
			for n1, err := range w.Watch(t.Context(), "INBOX") {
				w.From = n1.Mark
				if got = append(got, line(n1, err)); len(got) == n {
					break
				}
			}
			return got
		}
		first := next(1, func() { box.flag(t, 1, imap.Seen, imap.Flagged) })
		box.take(2)
		box.flag(t, 3, imap.Flagged)
		b.put("mrc", "INBOX", note)
		again := next(4, nil) // of the change behind the mark it is told again
		slices.Sort(again)
		if strings.Join(first, ",") != `changed 1 [\Seen \Flagged]` ||
			strings.Join(again, ",") != `changed 1 [\Seen \Flagged],changed 3 [\Flagged],gone 2,new 4` {
			t.Errorf("%q, then %q", first, again)
		}
	})
}

// TestWatchLeft leaves the loop while the server tells.
func TestWatchLeft(t *testing.T) {
	users()
	synctest.Test(t, func(t *testing.T) {
		b := filled()
		p, stop := pipesTo(t, b)
		defer stop()
		time.AfterFunc(time.Minute, func() { b.put("mrc", "INBOX", note) })
		w := &imap.Watcher{Dial: p.dial}
		for n, err := range w.Watch(t.Context(), "INBOX") {
			if err != nil || n.UID != 4 || n.Envelope == nil {
				t.Errorf("%+v, %v", n, err)
			}
			break
		}
	})
}

// TestVanishedAtTheEnd tells of messages behind the last one that is left, and
// of all where none is.
func TestVanishedAtTheEnd(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, b *toy) {
		k := loggedIn(t, addr, "mrc")
		k.ask("ENABLE QRESYNC", "OK")
		k.ask("SELECT INBOX", "OK")
		box := b.box("mrc", "INBOX")
		box.take(3)
		k.ask("NOOP", "OK")
		if got := k.ask("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "OK"); !slices.Contains(got, "* VANISHED (EARLIER) 3") {
			t.Errorf("%q", got)
		}
		box.take(1)
		box.take(2)
		k.ask("NOOP", "OK")
		if got := k.ask("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "OK"); !slices.Contains(got, "* VANISHED (EARLIER) 1:3") {
			t.Errorf("%q", got)
		}
	})
}
