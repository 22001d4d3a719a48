package transfer

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
)

// line lets several transfers write to one stream in their order, each a whole.
// What comes before its turn is kept in memory. Who is done leaves it there, to
// be written with others by one whose turn comes; who has much to say waits.
type line struct {
	w    io.Writer
	over <-chan struct{}

	mu     sync.Mutex
	places []place
	turn   int      // whose it is
	left   int      // bytes of those that have left before it
	free   [][]byte // to hold with
	batch  []byte   // used by the one whose turn it is
}

const (
	kept    = 1 << 20  // how much of one that waits is held in memory, and of all that have left
	batched = 64 << 10 // how much is written at once
)

// newLine has room for as many places.
func newLine(ctx context.Context, w io.Writer, places int) *line {
	return &line{w: w, over: ctx.Done(), places: make([]place, 0, places)}
}

// place takes the next place in line.
func (l *line) place() *place {
	l.places = append(l.places, place{l: l, at: len(l.places)})
	return &l.places[len(l.places)-1]
}

type place struct {
	l    *line
	at   int
	held []byte
	err  error
	wake chan struct{}   // its turn has come; nil: it does not wait
	told func(err error) // it has left, and this is to be told; nil: it has not
}

// Write writes, or holds, or waits.
func (p *place) Write(b []byte) (int, error) {
	l := p.l
	l.mu.Lock()
	turn := l.turn == p.at
	if n := len(l.free); !turn && p.held == nil && n > 0 {
		p.held, l.free = l.free[n-1], l.free[:n-1]
	}
	l.mu.Unlock()
	if !turn && len(p.held)+len(b) <= kept {
		p.held = append(p.held, b...)
		return len(b), nil
	}
	if !turn {
		p.wait()
	}
	if err := p.flush(); err != nil {
		return 0, err
	}
	return l.w.Write(b)
}

// wait returns when the turn has come, or all is over.
func (p *place) wait() {
	p.l.mu.Lock()
	if p.l.turn == p.at {
		p.l.mu.Unlock()
		return
	}
	wake := make(chan struct{})
	p.wake = wake
	p.l.mu.Unlock()
	select {
	case <-wake:
	case <-p.l.over:
	}
}

func (l *line) ended() error {
	select {
	case <-l.over:
		return context.Canceled
	default:
		return nil
	}
}

// flush writes what is held.
func (p *place) flush() error {
	if err := p.l.ended(); err != nil || len(p.held) == 0 {
		return err
	}
	_, err := p.l.w.Write(p.held)
	p.held = p.held[:0]
	return err
}

// leave lets the next one in. It calls told, or another that leaves does, when
// what is held has been written.
func (p *place) leave(told func(err error)) {
	l := p.l
	l.mu.Lock()
	for l.turn != p.at {
		if p.err = l.ended(); p.err != nil {
			p.held = nil
		}
		if len(p.held) == 0 || l.left+len(p.held) <= kept {
			l.left += len(p.held)
			p.told = told
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		p.wait()
		l.mu.Lock()
	}
	l.mu.Unlock()
	told(p.flush())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass(1)
	for l.turn < len(l.places) && l.places[l.turn].told != nil {
		l.pass(l.gone())
	}
	if l.turn < len(l.places) && l.places[l.turn].wake != nil {
		close(l.places[l.turn].wake)
	}
}

// pass gives the turn to the n-th after the one that has it.
func (l *line) pass(n int) {
	for i := range n {
		p := &l.places[l.turn+i]
		if p.told != nil {
			l.left -= len(p.held)
		}
		if p.held != nil {
			l.free = append(l.free, p.held[:0])
		}
		p.held, p.told = nil, nil
	}
	l.turn += n
}

// gone writes what those have left behind whose turn it is, and tells how many
// they are. The lock is not held meanwhile.
func (l *line) gone() int {
	all := l.places[l.turn:]
	n, size := 0, 0
	for n < len(all) && all[n].told != nil && (n == 0 || size+len(all[n].held) <= batched) {
		size += len(all[n].held)
		n++
	}
	l.mu.Unlock()
	defer l.mu.Lock()
	batch := all[0].held
	if n > 1 {
		batch = slices.Grow(l.batch[:0], size)
		for i := range n {
			batch = append(batch, all[i].held...)
		}
		l.batch = batch
	}
	err := l.ended()
	if err == nil && len(batch) > 0 {
		_, err = l.w.Write(batch)
	}
	for i := range n {
		all[i].told(cmp.Or(all[i].err, err))
	}
	return n
}
