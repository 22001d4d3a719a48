package imap_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
)

// pipes is a server that is reached by pipes.
type pipes struct {
	mu    sync.Mutex
	calls int
	down  bool
	last  net.Conn
	conns chan net.Conn
	hide  []string // capabilities that clients do not see
}

// Accept, Close and Addr make a listener of it.
func (p *pipes) Accept() (net.Conn, error) {
	nc, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (p *pipes) Close() error   { close(p.conns); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// pipesTo serves until stop is called.
func pipesTo(t *testing.T, b *toy) (p *pipes, stop func()) {
	p = &pipes{conns: make(chan net.Conn, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		srv := &server.Server{Handler: handler(b), Limits: server.Limits{Idle: 30 * time.Minute}}
		done <- srv.Serve(ctx, p)
	}()
	return p, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

var errDown = errors.New("the server is down")

func (p *pipes) dial(ctx context.Context) (*imap.Client, error) {
	p.mu.Lock()
	p.calls++
	if p.down {
		p.mu.Unlock()
		return nil, errDown
	}
	ours, theirs := transcript.Pipe()
	p.last = ours
	p.mu.Unlock()
	p.conns <- theirs
	c, err := imap.NewClient(ctx, conv.New(blinkers{ours, p.hide}, conv.Options{}), imap.Options{})
	if err != nil {
		return nil, err
	}
	return c, c.Login(ctx, auth.Credentials{User: "mrc", Password: "secret", ClearText: true})
}

// blinkers is a connection to a server that seems to be able to do less.
type blinkers struct {
	net.Conn
	hide []string
}

func (b blinkers) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	for _, word := range b.hide {
		copy(p, bytes.ReplaceAll(p[:n], []byte(" "+word), []byte(" "+strings.Repeat("X", len(word)))))
	}
	return n, err
}

// cut ends the connection, and lets none be made while down.
func (p *pipes) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	p.last.Close()
}

// abilities are servers that can do ever less.
func abilities() map[string][]string {
	return map[string][]string{
		"all": nil, "no NOTIFY": {"NOTIFY"}, "no IDLE": {"IDLE", "IMAP4rev2"},
		"no QRESYNC": {"QRESYNC"}, "no CONDSTORE": {"QRESYNC", "CONDSTORE"}, "nothing": {"QRESYNC", "CONDSTORE", "NOTIFY", "IDLE", "IMAP4rev2"},
	}
}

func TestWatch(t *testing.T) {
	users()
	for name, hide := range abilities() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { watchFor(t, hide, &imap.Watcher{}) })
		})
	}
	t.Run("poll", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { watchFor(t, nil, &imap.Watcher{NoNotify: true, NoIdle: true}) })
	})
}

func watchFor(t *testing.T, hide []string, w *imap.Watcher) {
	b := filled()
	p, stop := pipesTo(t, b)
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	p.hide = hide
	w.Dial, w.Log = p.dial, slog.New(slog.NewTextHandler(t.Output(), nil))
	news := make(chan uint32, 10)
	var ended error
	var watch sync.WaitGroup
	watch.Go(func() {
		for n, err := range w.Watch(ctx, "INBOX") {
			if ended = err; err == nil {
				news <- n.UID
			}
		}
	})
	expect := func(uid uint32) {
		t.Helper()
		if got := <-news; got != uid {
			t.Errorf("message %d, want %d", got, uid)
		}
	}
	synctest.Wait() // it watches
	b.put("mrc", "INBOX", note)
	expect(4)
	<-time.After(3 * time.Hour) // many an IDLE
	b.put("mrc", "INBOX", note, gray)
	expect(5)
	expect(6)
	if p.calls != 1 {
		t.Errorf("%d connections", p.calls)
	}
	p.cut(true)
	b.put("mrc", "INBOX", note) // nobody hears of it
	<-time.After(time.Hour)
	p.mu.Lock()
	p.down = false
	if p.calls < 10 || p.calls > 30 {
		t.Errorf("%d tries in an hour", p.calls-1)
	}
	p.mu.Unlock()
	expect(7)
	p.cut(false)
	b.put("mrc", "INBOX", note)
	expect(8)
	cancel()
	watch.Wait()
	if !errors.Is(ended, context.Canceled) || len(news) > 0 {
		t.Errorf("%v, and %d more", ended, len(news))
	}
}

func TestWatchGoesOn(t *testing.T) {
	users()
	synctest.Test(t, func(t *testing.T) {
		b := filled()
		p, stop := pipesTo(t, b)
		defer stop()
		w := &imap.Watcher{Dial: p.dial}
		for n, err := range w.Watch(t.Context(), "missing") {
			if !errors.Is(err, imap.ErrNonExistent) || n.Fetched != nil {
				t.Errorf("a mailbox that is not there: %v", err)
			}
		}
		b.mu.Lock()
		validity := b.accounts["mrc"].boxes["INBOX"].validity
		b.mu.Unlock()
		w.From = imap.Mark{UIDValidity: validity, UID: 1}
		var got []uint32
		for n, err := range w.Watch(t.Context(), "INBOX") {
			if err != nil || n.Mark != (imap.Mark{UIDValidity: validity, UID: n.UID}) {
				t.Fatal(n, err)
			}
			if got = append(got, n.UID); len(got) == 2 {
				break
			}
		}
		if got[0] != 2 || got[1] != 3 {
			t.Errorf("%v", got)
		}
		w.From.UIDValidity++
		for n, err := range w.Watch(t.Context(), "INBOX") {
			if !n.Reset || n.Mark.UID != 3 || err != nil {
				t.Errorf("%+v, %v", n, err)
			}
			break
		}
		p.down = true
		for _, err := range w.Watch(t.Context(), "INBOX") {
			if !errors.Is(err, errDown) {
				t.Error(err)
			}
		}
	})
}
