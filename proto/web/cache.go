package web

import (
	"sync"
	"sync/atomic"
)

// cache keeps small files as they were read, and of larger ones what is told of
// them, up to a number of bytes. It knows nothing of the disk: whoever asks
// compares the identity. When it is full, what was not asked for since the hand
// last came by makes room.
type cache struct {
	limit int64

	mu    sync.RWMutex
	files map[string]*cached
	ring  []*cached
	hand  int
	size  int64
}

// cached is one version of a file; it does not change.
type cached struct {
	representation
	name string
	id   identity
	data []byte // nil: of a file that is opened each time
	used atomic.Bool
	slot int
}

// overhead is what an entry costs beside its bytes.
const overhead = 512

func (c *cached) cost() int64 { return int64(len(c.data)+len(c.name)) + overhead }

func (c *cache) get(name string) *cached {
	c.mu.RLock()
	e := c.files[name]
	c.mu.RUnlock()
	if e != nil && !e.used.Load() {
		e.used.Store(true)
	}
	return e
}

func (c *cache) put(e *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.files[e.name]; old != nil {
		c.drop(old)
	}
	if e.cost() > c.limit {
		return
	}
	for c.size+e.cost() > c.limit {
		c.evict()
	}
	if c.files == nil {
		c.files = map[string]*cached{}
	}
	e.slot = len(c.ring)
	c.ring = append(c.ring, e)
	c.files[e.name] = e
	c.size += e.cost()
}

// forget drops what a name had.
func (c *cache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.files[name]; old != nil {
		c.drop(old)
	}
}

// evict moves the hand on to an entry that nobody used; c.mu is held.
func (c *cache) evict() {
	for {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		e := c.ring[c.hand]
		if !e.used.Swap(false) {
			c.drop(e)
			return
		}
		c.hand++
	}
}

// drop is called with c.mu held.
func (c *cache) drop(e *cached) {
	delete(c.files, e.name)
	last := len(c.ring) - 1
	c.ring[e.slot] = c.ring[last]
	c.ring[e.slot].slot = e.slot
	c.ring[last] = nil
	c.ring = c.ring[:last]
	c.size -= e.cost()
}
