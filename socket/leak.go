package socket

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// LeakCheck finds sockets that nobody closed, for tests. The zero LeakCheck is
// ready; hand it what makes sockets:
//
//	var leaks socket.LeakCheck
//	s, err := leaks.Watch(socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
//
// Sockets that a watched one accepts, and its Dups, are watched as well.
//
// Without it, too, a Sock that is dropped without Close gives its descriptor
// back when the garbage collector finds it: but nobody knows when that is, and
// until then the peer waits.
type LeakCheck struct {
	Warn io.Writer // gets a line for each socket that was dropped unclosed; nil for none

	mu   sync.Mutex
	open map[*watched]struct{}
}

// watched is the record of one socket, apart from it, so that the socket itself
// can be collected.
type watched struct {
	check   *LeakCheck
	site    string
	cleanup runtime.Cleanup
}

// Watch remembers where the socket was made, until it is closed. It passes the
// error on; so the results of a call that makes a socket can be its arguments.
func (c *LeakCheck) Watch(s *Sock, err error) (*Sock, error) {
	if err != nil {
		return s, err
	}
	c.watch(s, caller(2))
	return s, nil
}

// watch is Watch for a known place.
func (c *LeakCheck) watch(s *Sock, site string) {
	w := &watched{check: c, site: site}
	w.cleanup = runtime.AddCleanup(s, (*watched).dropped, w)
	s.watched = w
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = make(map[*watched]struct{})
	}
	c.open[w] = struct{}{}
}

// Open lists where the sockets were made (file:line) that are neither closed nor
// collected yet, sorted; one line for each socket.
func (c *LeakCheck) Open() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sites := make([]string, 0, len(c.open))
	for w := range c.open {
		sites = append(sites, w.site)
	}
	slices.Sort(sites)
	return sites
}

// forget takes a socket off the list and tells whether it was on it.
func (c *LeakCheck) forget(w *watched) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, there := c.open[w]
	delete(c.open, w)
	return there
}

// closed is called by Close.
func (w *watched) closed() {
	if w != nil && w.check.forget(w) {
		w.cleanup.Stop()
	}
}

// dropped is called when the socket is garbage.
func (w *watched) dropped() {
	if !w.check.forget(w) || w.check.Warn == nil {
		return
	}
	w.check.mu.Lock()
	defer w.check.mu.Unlock()
	// There is nobody to take the error of a warning.
	_, _ = fmt.Fprintf(w.check.Warn, "socket: never closed: made at %s\n", w.site)
}

// inherit has a socket that came out of s watched as s is.
func (s *Sock) inherit(child *Sock) *Sock {
	if s.watched != nil {
		s.watched.check.watch(child, caller(3))
	}
	return child
}

// caller is where the function so many frames up was called, as file:line.
func caller(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%s:%d", file, line)
}
