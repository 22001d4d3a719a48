package diskstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
)

// Suffixes of segments: many small blobs, and one large one.
const (
	suffixShared = ".seg"
	suffixOwn    = ".blob"
)

// segments are the files of the blobs.
type segments struct {
	e    *Engine
	full int64 // size at which a shared segment is closed

	mu       sync.Mutex
	all      map[uint64]*segment
	active   *segment // takes small blobs; nil until there is one
	last     uint64   // number of the newest
	pending  map[uint64]pending
	newFiles bool // since the directory was synced
	closed   bool

	dirtyMu sync.Mutex // taken after mu
	dirty   []*segment // to be synced before the next commit
}

// segment is a file. Its fields are under segments.mu, but for the file, which
// stays while the segment is pinned.
type segment struct {
	number  uint64
	own     bool
	sealed  bool
	size    int64
	end     int64 // behind the last blob that was kept, when it was opened
	live    int64 // bytes that the index refers to
	pins    int   // readers, and writers of blobs that may yet be kept
	stuck   bool  // cannot be compacted: something in it is damaged
	file    *os.File
	isDirty bool // under dirtyMu
}

func (s *segments) open(e *Engine, full int64) {
	s.e, s.full = e, full
	s.all, s.pending = map[uint64]*segment{}, map[uint64]pending{}
}

func (s *segments) path(seg *segment) string {
	suffix := suffixShared
	if seg.own {
		suffix = suffixOwn
	}
	return filepath.Join(s.e.dir, fmt.Sprintf("%016x%s", seg.number, suffix))
}

// count reads from the index which segments there are, and how much of them is
// in use.
func (s *segments) count(tx *bbolt.Tx) error {
	return tx.Bucket(bucketBlobs).ForEach(func(_, v []byte) error {
		row, err := parseRow(v)
		if err != nil {
			return err
		}
		seg := s.all[row.segment]
		if seg == nil {
			seg = &segment{number: row.segment, sealed: true}
			s.all[row.segment] = seg
		}
		seg.live += row.length()
		seg.size = max(seg.size, row.offset+row.length())
		return nil
	})
}

// recover compares the files with the index, removes those that nobody needs,
// and goes on with the newest shared one behind the last blob that was kept.
func (s *segments) recover() error {
	entries, err := os.ReadDir(s.e.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, own := strings.CutSuffix(entry.Name(), suffixOwn)
		name, shared := strings.CutSuffix(name, suffixShared)
		number, err := strconv.ParseUint(name, 16, 64)
		if err != nil || own == shared {
			continue
		}
		s.last = max(s.last, number)
		if seg := s.all[number]; seg != nil {
			seg.own = own
			info, err := entry.Info()
			if err != nil {
				return err
			}
			seg.end, seg.size = seg.size, max(seg.size, info.Size())
		} else if err := s.remove(&segment{number: number, own: own}); err != nil {
			return err
		}
	}
	for number := range s.all {
		s.last = max(s.last, number)
	}
	return s.resume()
}

// resume makes the newest segment the active one, if it is shared and not full.
func (s *segments) resume() error {
	var seg *segment
	for _, other := range s.all {
		if !other.own && (seg == nil || other.number > seg.number) {
			seg = other
		}
	}
	if seg == nil || seg.end >= s.full {
		return nil
	}
	f, err := os.OpenFile(s.path(seg), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its blobs are lost, and say so when they are read
	}
	if err != nil {
		return err
	}
	if err := f.Truncate(seg.end); err != nil {
		return errors.Join(err, f.Close())
	}
	seg.size = seg.end
	seg.file, seg.sealed, s.active = f, false, seg
	return nil
}

// create begins a segment. The caller holds mu.
func (s *segments) create(own bool) (*segment, error) {
	if err := s.e.fault(opCreate, s.e.dir); err != nil {
		return nil, diskError(err)
	}
	seg := &segment{number: s.last + 1, own: own}
	f, err := os.OpenFile(s.path(seg), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	s.last++
	s.newFiles = true
	seg.file = f
	s.all[seg.number] = seg
	return seg, nil
}

// reserve finds room for n bytes in the active segment, and pins it.
func (s *segments) reserve(n int64) (*segment, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil && s.active.size >= s.full {
		s.seal(s.active)
		s.active = nil
	}
	if s.active == nil {
		seg, err := s.create(false)
		if err != nil {
			return nil, 0, err
		}
		s.active = seg
	}
	at := s.active.size
	s.active.size += n
	s.active.pins++
	return s.active, at, nil
}

// createOwn begins a segment for one blob, and pins it.
func (s *segments) createOwn() (*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, err := s.create(true)
	if err != nil {
		return nil, err
	}
	seg.pins++
	return seg, nil
}

// write writes into a pinned segment.
func (s *segments) write(seg *segment, p []byte, at int64) error {
	if err := s.e.fault(opWrite, s.path(seg)); err != nil {
		return diskError(err)
	}
	_, err := seg.file.WriteAt(p, at)
	return diskError(err)
}

// soil says that seg has to be synced before the index refers to it.
func (s *segments) soil(seg *segment) {
	s.dirtyMu.Lock()
	defer s.dirtyMu.Unlock()
	if !seg.isDirty {
		seg.isDirty = true
		s.dirty = append(s.dirty, seg)
	}
}

func (s *segments) isDirty(seg *segment) bool {
	s.dirtyMu.Lock()
	defer s.dirtyMu.Unlock()
	return seg.isDirty
}

// sync makes all durable that was written before.
func (s *segments) sync() error {
	s.dirtyMu.Lock()
	dirty := s.dirty
	s.dirty = nil
	s.dirtyMu.Unlock()
	for _, seg := range dirty {
		if !s.pin(seg) {
			continue // nobody kept anything of it
		}
		s.dirtyMu.Lock()
		seg.isDirty = false // it stays open now because it is pinned
		s.dirtyMu.Unlock()
		err := s.e.sync(seg.file)
		s.unpin(seg)
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	newFiles := s.newFiles
	s.newFiles = false
	s.mu.Unlock()
	if newFiles {
		return s.e.syncDir(s.e.dir)
	}
	return nil
}

// seal ends the writing into a segment. The caller holds mu.
func (s *segments) seal(seg *segment) {
	seg.sealed = true
	s.let(seg)
}

// pin keeps a segment and its file, unless it has gone already.
func (s *segments) pin(seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[seg.number] != seg {
		return false
	}
	seg.pins++
	return true
}

// pinNumber pins the segment of a blob for a reader.
func (s *segments) pinNumber(number uint64) (*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := s.all[number]
	if seg == nil {
		return nil, store.ErrNotFound
	}
	if seg.file == nil {
		f, err := os.Open(s.path(seg))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
		}
		seg.file = f
	}
	seg.pins++
	return seg, nil
}

// unpin lets go of a segment.
func (s *segments) unpin(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.pins--
	s.let(seg)
}

func (s *segments) unpinAll(pinned []*segment) {
	for _, seg := range pinned {
		s.unpin(seg)
	}
}

// let closes the file of a segment that nobody uses, and removes it where the
// index does not refer to it either. The caller holds mu.
func (s *segments) let(seg *segment) {
	if seg.pins > 0 || s.all[seg.number] != seg {
		return
	}
	remove := !s.closed && seg.sealed && seg.live == 0
	if !remove && !s.closed && (!seg.sealed || len(s.all) <= maxOpenFiles || s.isDirty(seg)) {
		return
	}
	if seg.file != nil {
		seg.file.Close()
		seg.file = nil
	}
	if remove {
		delete(s.all, seg.number)
		_ = s.remove(seg) // or when the directory is opened again
	}
}

// maxOpenFiles is up to how many segments all stay open once they were read.
const maxOpenFiles = 256

func (s *segments) remove(seg *segment) error {
	if err := s.e.fault(opRemove, s.path(seg)); err != nil {
		return err
	}
	return os.Remove(s.path(seg))
}

// change takes over what a commit has done to the segments.
func (s *segments) change(live map[uint64]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, n := range live {
		if seg := s.all[number]; seg != nil {
			seg.live += n
			seg.stuck = seg.stuck && n >= 0
			s.let(seg)
		}
	}
}

// sparse gives a sealed shared segment of which less than half is in use.
func (s *segments) sparse() (number uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.all {
		if seg.sealed && !seg.own && !seg.stuck && seg.live > 0 && seg.live < seg.size/2 {
			return seg.number, true
		}
	}
	return 0, false
}

// pending is a blob that is finished and may be kept.
type pending struct {
	at   place
	body []byte   // of a small one, with its check sums; it has no place yet
	seg  *segment // of a large one
}

func (s *segments) setPending(id uint64, p pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[id] = p
}

func (s *segments) clearPending(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, id)
}

func (s *segments) pendingBlob(id uint64) (pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pending[id]
	return p, ok
}

// pinPending pins the segment of a large blob that may still be kept.
func (s *segments) pinPending(id uint64) (pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pending[id]
	if p.seg != nil {
		p.seg.pins++
	}
	return p, ok
}

// close closes the files that nobody reads; the others are closed by their
// readers.
func (s *segments) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, seg := range s.all {
		if seg.file != nil && seg.pins == 0 {
			errs = append(errs, seg.file.Close())
			seg.file = nil
		}
	}
	return errors.Join(errs...)
}
