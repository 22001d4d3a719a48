// Package gate counts the calls that are inside, so that a thing can be closed
// after them and before any other. It is the heir of the semaphore, in the
// shape of a door that is shut once.
package gate

import (
	"context"
	"sync"

	"github.com/farend-go/farend/store"
)

// A Gate is open; its zero value is ready. Its methods may be called
// concurrently.
type Gate struct {
	mu    sync.RWMutex // written to by Shut, so that Add never meets Wait at 0
	shut  bool
	calls sync.WaitGroup
}

// Enter lets a call in, which then has to Leave; [store.ErrClosed] after Shut,
// the context's error where it has ended.
func (g *Gate) Enter(ctx context.Context) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.shut {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.calls.Add(1)
	return nil
}

// Leave ends a call.
func (g *Gate) Leave() { g.calls.Done() }

// Shut lets nobody in any more, and tells whether it was open.
func (g *Gate) Shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := !g.shut
	g.shut = true
	return was
}

// Wait returns when all have left; it comes after Shut.
func (g *Gate) Wait() { g.calls.Wait() }
