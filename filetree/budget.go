package filetree

import "sync"

// budget counts what lies in a tree. Uploads count from their first byte on.
type budget struct {
	mu      sync.Mutex
	bytes   int64
	entries int
	quota   int64 // 0: none
	most    int   // entries; 0: none
}

// take counts n bytes more.
func (b *budget) take(n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quota > 0 && n > b.quota-b.bytes {
		return ErrQuota
	}
	b.bytes += n
	return nil
}

// give counts n bytes less. What others did to a directory may have been
// counted wrongly, but never makes less than nothing.
func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes = max(0, b.bytes-n)
}

// fits tells whether n bytes could be taken now.
func (b *budget) fits(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.quota <= 0 || n <= b.quota-b.bytes
}

// enter counts a file or directory.
func (b *budget) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 && b.entries >= b.most {
		return ErrQuota
	}
	b.entries++
	return nil
}

// leave counts one less.
func (b *budget) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = max(0, b.entries-1)
}

func (b *budget) space() (used, limit int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes, b.quota
}

// allowance is what one upload has taken of a budget.
type allowance struct {
	b     *budget
	taken int64
	size  int64 // of the file so far
	max   int64 // of the file; 0: none
	err   error // the first failure, which Commit repeats
}

// grow takes room for n bytes.
func (a *allowance) grow(n int64) error {
	if a.err != nil {
		return a.err
	}
	if a.max > 0 && n > a.max-a.size {
		a.err = ErrTooLarge
		return a.err
	}
	if a.err = a.b.take(n); a.err != nil {
		return a.err
	}
	a.taken += n
	a.size += n
	return nil
}

// shrink gives back room that was not used.
func (a *allowance) shrink(n int64) {
	a.taken -= n
	a.size -= n
	a.b.give(n)
}

// release gives everything back.
func (a *allowance) release() {
	a.b.give(a.taken)
	a.taken = 0
}

// expects refuses a file of that size where it cannot fit.
func (a *allowance) expects(size int64) error {
	switch {
	case a.max > 0 && size > a.max:
		return ErrTooLarge
	case !a.b.fits(size):
		return ErrQuota
	}
	return nil
}
