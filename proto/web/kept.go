package web

import (
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	keepOpen = time.Second // as long a file that is removed has its space
	mostOpen = 64
)

// keptFiles are large files that were asked for again, and so stay open for a
// moment: several requests may send one at once. Whoever asks compares the
// identity with the disk's, as with the cache.
type keptFiles struct {
	mu    sync.Mutex
	files map[string]*keptFile
}

// keptFile is closed when its time is over and nobody sends it.
type keptFile struct {
	*os.File
	from *keptFiles
	seen *cached

	users int // from.mu is held
}

// share is open for a file that is to be sent.
func (s *FileServer) share(r *http.Request, name string) (*opened, error) {
	// Only on Linux does the kernel send from any place of a file.
	if runtime.GOOS != "linux" || s.Cache < 0 || sendsFiles(r) == nil {
		return s.open(name)
	}
	if f := s.kept.get(name); f != nil {
		if info, err := s.Files.Stat(name); err == nil {
			if id, _ := identityOf(info); id == f.seen.id {
				return &opened{representation: f.seen.representation, file: f.File, kept: f}, nil
			}
		}
		f.put()
	}
	o, err := s.open(name)
	if err == nil && o.seen != nil {
		o.kept = s.kept.add(o)
	}
	return o, err
}

// get gives a file to a user, who puts it back.
func (k *keptFiles) get(name string) *keptFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.files[name]
	if f != nil {
		f.users++
	}
	return f
}

// add keeps a file, which has a user already; nil: it is not kept.
func (k *keptFiles) add(o *opened) *keptFile {
	file, ok := o.file.(*os.File)
	if !ok {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	name := o.seen.name
	if len(k.files) >= mostOpen || k.files[name] != nil {
		return nil
	}
	if k.files == nil {
		k.files = map[string]*keptFile{}
	}
	f := &keptFile{File: file, from: k, seen: o.seen, users: 2}
	k.files[name] = f
	time.AfterFunc(keepOpen, f.drop)
	return f
}

// drop has nobody get the file any more.
func (f *keptFile) drop() {
	f.from.mu.Lock()
	delete(f.from.files, f.seen.name)
	f.from.mu.Unlock()
	f.put()
}

// put takes the file back from a user.
func (f *keptFile) put() {
	f.from.mu.Lock()
	defer f.from.mu.Unlock()
	if f.users--; f.users == 0 {
		f.Close()
	}
}
