package pop3

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/farend-go/farend/auth"
)

// Errors of a Backend.
var (
	// ErrInUse is a maildrop that another session has.
	ErrInUse = errors.New("pop3: maildrop in use")
	// ErrGone is a message that is not there any more.
	ErrGone = errors.New("pop3: message is gone")
)

// A Backend has a maildrop for each user. Its methods may be called by several
// goroutines.
type Backend interface {
	// Maildrop locks the maildrop of who has logged in, and opens it. ErrInUse:
	// it is locked (Locks helps with that); auth.ErrRefused: he has none. Any
	// other error is a fault of the server's that may pass, unless there is a
	// Reply in it that says otherwise.
	Maildrop(ctx context.Context, who auth.Identity) (Maildrop, error)
}

// A Maildrop is what one session sees. Its methods are called one at a time.
type Maildrop interface {
	// Messages are those that are there now, in their order: the first is number
	// 1. It is asked once; what comes later is for the next session.
	Messages(ctx context.Context) ([]Message, error)
	// Open gives a message's text by its number. Line ends may be CRLF or LF;
	// RETR sends CRLF. The session closes it.
	Open(ctx context.Context, number int) (io.ReadCloser, error)
	// Delete removes the messages with these numbers, all or none of them, at
	// the QUIT of a session that had deleted some. It is called at most once,
	// and nothing but Close after it.
	Delete(ctx context.Context, numbers []int) error
	// Close unlocks the maildrop. A session that ends without QUIT has only
	// this.
	Close() error
}

// A Message in a Maildrop.
type Message struct {
	Size int64  // of the text with CRLF as line ends
	UID  string // 1 to 70 octets from 0x21 to 0x7E, never used again in this maildrop
	UTF8 bool   // it has UTF-8 where RFC 5322 allows ASCII only: a client that has not said UTF8 is refused it
}

// Locks are locks by name, for Backends: each maildrop has one session. The
// zero Locks are ready, and may be used by several goroutines.
type Locks struct {
	mu   sync.Mutex
	held map[string]bool
}

// Lock takes a name's lock, and gives the way to let go of it, which may be
// called more than once. It never waits: ErrInUse.
func (l *Locks) Lock(name string) (unlock func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] {
		return nil, ErrInUse
	}
	if l.held == nil {
		l.held = map[string]bool{}
	}
	l.held[name] = true
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held, name)
	}), nil
}
