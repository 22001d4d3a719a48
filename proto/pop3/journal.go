package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// A Journal remembers by their unique ids which messages of a maildrop have
// been fetched. Each maildrop needs one of its own.
type Journal interface {
	// Seen tells whether a message has been fetched.
	Seen(ctx context.Context, uid string) (bool, error)
	// Add notes that one has. It is durable when Add returns.
	Add(ctx context.Context, uid string) error
	// Keep forgets all but these: the others are not in the maildrop any more.
	Keep(ctx context.Context, uids []string) error
}

// FileJournal is a Journal in a text file, a unique id a line. It may be used
// by several goroutines, but the file by one FileJournal only.
type FileJournal struct {
	mu   sync.Mutex
	path string
	f    *os.File
	seen map[string]bool
}

// OpenJournal opens a file, or makes it. The caller closes the journal.
func OpenJournal(path string) (*FileJournal, error) {
	j := &FileJournal{path: path, seen: map[string]bool{}}
	if err := j.reopen(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(j.f)
	if err != nil {
		return nil, errors.Join(err, j.f.Close())
	}
	whole := bytes.LastIndexByte(text, '\n') + 1 // what follows was cut short when it was written
	for line := range bytes.SplitSeq(text[:whole], []byte{'\n'}) {
		if uid := string(bytes.TrimSuffix(line, []byte{'\r'})); validUID(uid) {
			j.seen[uid] = true
		}
	}
	if whole < len(text) {
		if err := j.f.Truncate(int64(whole)); err != nil {
			return nil, errors.Join(err, j.f.Close())
		}
	}
	return j, nil
}

func (j *FileJournal) reopen() (err error) {
	j.f, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	return err
}

// Seen tells whether the file has a unique id.
func (j *FileJournal) Seen(_ context.Context, uid string) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen[uid], nil
}

// Add writes a unique id, and syncs.
func (j *FileJournal) Add(_ context.Context, uid string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.f == nil:
		return fs.ErrClosed
	case !validUID(uid):
		return fmt.Errorf("%w: unique id %.100q", ErrReply, uid)
	case j.seen[uid]:
		return nil
	}
	if _, err := j.f.WriteString(uid + "\n"); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.seen[uid] = true
	return nil
}

// Keep writes the file anew, beside it and then in its place, if there is
// anything to forget.
func (j *FileJournal) Keep(_ context.Context, uids []string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return fs.ErrClosed
	}
	keep := map[string]bool{}
	for _, uid := range uids {
		if j.seen[uid] {
			keep[uid] = true
		}
	}
	if len(keep) == len(j.seen) {
		return nil
	}
	if err := j.rewrite(keep); err != nil {
		return err
	}
	j.seen = keep
	return nil
}

func (j *FileJournal) rewrite(keep map[string]bool) error {
	var text []byte
	for uid := range keep {
		text = append(append(text, uid...), '\n')
	}
	beside := j.path + ".new"
	if err := writeSynced(beside, text); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := j.f.Close(); err != nil {
		return err
	}
	j.f = nil
	return errors.Join(os.Rename(beside, j.path), j.reopen())
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// Close closes the file.
func (j *FileJournal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return nil
	}
	err := j.f.Close()
	j.f = nil
	return err
}

// MemoryJournal is a Journal that lasts as long as the program. The zero value
// knows nothing; it may be used by several goroutines.
type MemoryJournal struct {
	mu   sync.Mutex
	uids []string
}

// Seen tells whether a unique id was added.
func (j *MemoryJournal) Seen(_ context.Context, uid string) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, found := slices.BinarySearch(j.uids, uid)
	return found, nil
}

// Add adds one.
func (j *MemoryJournal) Add(_ context.Context, uid string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i, found := slices.BinarySearch(j.uids, uid); !found {
		j.uids = slices.Insert(j.uids, i, uid)
	}
	return nil
}

// Keep forgets the others.
func (j *MemoryJournal) Keep(_ context.Context, uids []string) error {
	keep := slices.Sorted(slices.Values(uids))
	j.mu.Lock()
	defer j.mu.Unlock()
	j.uids = slices.DeleteFunc(j.uids, func(uid string) bool {
		_, found := slices.BinarySearch(keep, uid)
		return !found
	})
	return nil
}
