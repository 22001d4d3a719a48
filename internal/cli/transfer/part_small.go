package transfer

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"time"
)

// collector is a part in memory. It lies in the buffer through which it comes.
type collector part

func (p *collector) Write(b []byte) (int, error) {
	p.got += int64(len(b))
	return len(b), nil
}

// atOnce brings what was collected to its name with few calls; false: it has to
// go the usual way, which also tells why.
func (p *part) atOnce() (bool, error) {
	if p.fresh {
		if ok, err := p.create(); ok || err != nil {
			return ok, err
		}
	}
	if p.stands() {
		return true, nil
	}
	if p.noted { // before there is a byte of which it does not speak
		p.dropNote()
	}
	return p.replace(), nil
}

// create makes the file; false: something stands there by now.
func (p *part) create() (bool, error) {
	chtimes, name := os.Chtimes, p.path
	var err error
	if p.path == "" {
		chtimes, name = p.root.Chtimes, p.name
		err = p.createIn()
	} else {
		err = createFile(p.path, p.small)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil && p.setTime && !p.v.Modified.IsZero() {
		err = chtimes(name, time.Time{}, p.v.Modified)
	}
	if err != nil {
		return true, failure(CodeWrite, err)
	}
	return true, nil
}

func (p *part) createIn() error {
	f, err := p.root.OpenFile(p.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(p.small)
	if err = cmp.Or(err, f.Close()); err != nil {
		_ = p.root.Remove(p.name) // it is ours, and not whole
	}
	return err
}

// stands tells whether the file is there already, byte by byte, and gives it the
// time of one that was written: to put another in its place is more work for a
// disk than to look.
func (p *part) stands() bool {
	if p.path == "" || p.size == 0 || p.size != int64(len(p.small)) {
		return false
	}
	here, err := os.ReadFile(p.path)
	if err != nil || !bytes.Equal(here, p.small) {
		return false
	}
	at := time.Now()
	if p.setTime && !p.v.Modified.IsZero() {
		at = p.v.Modified
	}
	return os.Chtimes(p.path, time.Time{}, at) == nil
}

// replace puts the file in the place of what has its name. One does so at a
// time in a directory: a file system lets in no more, and to stand in line there
// costs a thread.
func (p *part) replace() bool {
	if p.path == "" {
		return false
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	temp := p.path + ".part"
	if createFile(temp, p.small) != nil {
		return false
	}
	var err error
	if p.setTime && !p.v.Modified.IsZero() {
		err = os.Chtimes(temp, time.Time{}, p.v.Modified)
	}
	return err == nil && renameFile(temp, p.path) == nil
}
