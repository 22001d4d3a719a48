package transfer

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// noteAfter is how many bytes come before a note is written beside them: what
// is short is sooner fetched again than noted.
const noteAfter = 1 << 20

// A note stands beside a part, in NAME.part.json: of what it is a part.
type note struct {
	URL string `json:"url"`
	Version
	// Have is what is here, where it is not simply all of the part.
	Have cover `json:"have,omitzero"`
}

// part is a file that appears whole or not at all: it grows as NAME.part, and
// gets its name at the end. What a broken try leaves there is gone on with
// where the note says of which version it is, and the server still has that.
type part struct {
	root    *os.Root
	name    string
	temp    string // "": name.part
	url     string
	setTime bool

	// path is the whole name; "": it is only known in root, and the quicker
	// calls cannot be had. With it goes turn, of who takes the place of another
	// file in this directory.
	path string
	turn sync.Locker
	// fresh tells that nothing stands under the name yet; size is that of what
	// does, 0 where nobody looked.
	fresh bool
	size  int64
	// small is a file that is collected in memory, and written at once; nil: it
	// is not.
	small []byte

	looked bool
	f      *os.File
	got    int64
	v      Version
	noted  bool // its note is there; before start: one may be
	head   bool
	here   cover // of a part that came in pieces; nil: it is got bytes from the beginning
}

func (p *part) tempName() string { return cmp.Or(p.temp, p.name+".part") }
func (p *part) noteName() string { return p.tempName() + ".json" }

// look finds what an earlier run has left.
func (p *part) look() {
	p.looked, p.v, p.noted = true, unknown, true
	info, err := p.root.Lstat(p.tempName())
	if err != nil {
		return
	}
	p.fresh, p.size = false, 0 // there is something to be cleared away
	text, err := p.root.ReadFile(p.noteName())
	n := note{}
	if err != nil || !info.Mode().IsRegular() || json.Unmarshal(text, &n) != nil || n.URL != p.url || !n.Known() {
		return // nobody knows what it is a part of: it is overwritten
	}
	if n.Size >= 0 && info.Size() > n.Size {
		return
	}
	p.got, p.v = info.Size(), n.Version
	if n.Have == nil {
		return
	}
	if n.Size < 0 || !n.Have.valid(n.Size) {
		p.forget()
		return
	}
	p.here = n.Have.cut(info.Size())
	p.got = p.here.begin()
}

// forget takes what is here for nothing.
func (p *part) forget() { p.got, p.v, p.here = 0, unknown, nil }

func (p *part) have() request {
	if !p.looked {
		p.look()
	}
	if !p.v.Known() || p.head {
		return request{version: unknown}
	}
	r := request{from: p.got, version: p.v}
	if holes := p.here.holes(p.v.Size); len(p.here) > 0 && len(holes) > 0 { // also at the beginning an error is no file
		r.to = holes[0][1]
	}
	return r
}

func (p *part) start(s *source) (io.Writer, error) {
	if (p.fresh || p.path != "") && p.here == nil && s.from == 0 && s.head == nil && 0 <= s.version.Size && s.version.Size < bufferSize {
		p.got, p.v, p.small = 0, s.version, []byte{}
		return (*collector)(p), nil
	}
	p.fresh, p.size = false, 0 // from now on there is something to be cleared away
	mode := os.O_WRONLY | os.O_CREATE
	anew := s.from == 0 && !(p.got == 0 && len(p.here) > 0 && s.version.Same(p.v))
	if anew {
		mode |= os.O_TRUNC
	}
	f, err := p.root.OpenFile(p.tempName(), mode, 0o666)
	if err != nil {
		return nil, failure(CodeWrite, err)
	}
	if s.from != p.got && s.from > 0 {
		f.Close()
		return nil, errAnew
	}
	if s.from > 0 {
		if _, err := f.Seek(s.from, io.SeekStart); err != nil {
			f.Close()
			return nil, failure(CodeWrite, err)
		}
	}
	if anew && p.noted { // before a byte of the new one: a note never speaks of another's bytes
		p.dropNote()
	}
	if anew {
		p.here = nil
	}
	p.f, p.got, p.v = f, s.from, s.version
	if len(s.head) > 0 {
		p.head = true
		if _, err := f.Write(s.head); err != nil {
			return nil, failure(CodeWrite, err)
		}
	}
	return p, nil
}

func (p *part) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.got += int64(n)
	if err == nil && !p.noted && p.got >= noteAfter && p.v.Known() && !p.head {
		err = p.writeNote()
	}
	return n, err
}

func (p *part) writeNote() error {
	text, err := json.Marshal(note{p.url, p.v, p.here})
	if err != nil {
		return err
	}
	if err := p.root.WriteFile(p.noteName(), append(text, '\n'), 0o666); err != nil {
		return err
	}
	p.noted = true
	return nil
}

func (p *part) dropNote() {
	_ = p.root.Remove(p.noteName()) // what is left of it fits no part
	p.noted = false
}

// keep leaves what has come for the next try, with its note, or nothing.
func (p *part) keep() error {
	if p.small != nil {
		p.small, p.got, p.v = nil, 0, unknown
	}
	if p.f == nil {
		return nil
	}
	err := p.f.Close()
	p.f = nil
	if p.got == 0 && len(p.here) == 0 || !p.v.Known() || p.head {
		p.got, p.head, p.here = 0, false, nil
		p.dropNote()
		return errors.Join(err, p.root.Remove(p.tempName()))
	}
	if err == nil && (!p.noted || p.here != nil) {
		err = p.writeNote()
	}
	if err != nil {
		return failure(CodeWrite, err)
	}
	p.got = max(p.got, p.here.begin())
	return nil
}

func (p *part) done() error {
	if p.here != nil {
		p.got = p.here.begin()
	}
	if p.v.Size >= 0 && p.got != p.v.Size && !p.head {
		return io.ErrUnexpectedEOF
	}
	if p.small != nil {
		if ok, err := p.atOnce(); ok || err != nil {
			return err
		}
		f, err := p.root.OpenFile(p.tempName(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return failure(CodeWrite, err)
		}
		p.f = f
		if _, err := f.Write(p.small); err != nil {
			return failure(CodeWrite, err)
		}
	}
	err := p.f.Close()
	p.f = nil
	if err != nil {
		return failure(CodeWrite, err)
	}
	if p.setTime && !p.v.Modified.IsZero() {
		if err := p.root.Chtimes(p.tempName(), time.Time{}, p.v.Modified); err != nil {
			return failure(CodeWrite, err)
		}
	}
	if err := p.root.Rename(p.tempName(), p.name); err != nil {
		return failure(CodeWrite, err)
	}
	if p.noted {
		p.dropNote()
	}
	return nil
}

// drop takes away what stands under the part's name.
func (p *part) drop() error {
	if p.f != nil {
		p.f.Close()
		p.f = nil
	}
	p.dropNote()
	if err := p.root.Remove(p.tempName()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure(CodeWrite, err)
	}
	return nil
}
