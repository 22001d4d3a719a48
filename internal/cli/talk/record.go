package talk

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxRecord is how much of a conversation is remembered for :save.
const maxRecord = 1 << 20

// record is what was said so far, line by line as a transcript: "C: " before
// what the client said and "S: " before the server's. After save it goes on in
// the file.
type record struct {
	server bool // we are the server
	text   []byte
	cut    bool      // the beginning is forgotten
	half   [2][]byte // of each side, a line that has no end yet
	file   io.WriteCloser
}

// add notes what one side said.
func (r *record) add(ours bool, b []byte) error {
	side := 0
	if ours != r.server {
		side = 1
	}
	whole := append(r.half[side], b...)
	var text []byte
	for {
		i := bytes.IndexByte(whole, '\n')
		if i < 0 && len(whole) < 4096 {
			break
		}
		if i < 0 {
			i = len(whole) - 1
		}
		text = append(text, r.line(side, whole[:i+1])...)
		whole = whole[i+1:]
	}
	r.half[side] = append([]byte(nil), whole...)
	return r.write(text)
}

func (r *record) line(side int, b []byte) string {
	return string("SC"[side]) + ": " + strings.TrimSuffix(visibleAll(b), "\n") + "\n"
}

// remark notes an event.
func (r *record) remark(text string) error { return r.write([]byte("# " + text + "\n")) }

func (r *record) write(text []byte) error {
	r.text = append(r.text, text...)
	if len(r.text) > maxRecord {
		r.text = append(r.text[:0], r.text[len(r.text)-maxRecord/2:]...)
		r.cut = true
	}
	if r.file == nil {
		return nil
	}
	_, err := r.file.Write(text)
	return err
}

// save writes what was said so far to a new file, and what will be said. Only
// the user may read it: nothing in it is masked.
func (r *record) save(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := r.close(); err != nil {
		_ = f.Close()
		return err
	}
	r.file = f
	if r.cut {
		fmt.Fprintln(f, "# the beginning was too long to be remembered")
	}
	_, err = f.Write(r.text)
	return err
}

// close ends the file with the lines that have no end.
func (r *record) close() error {
	if r.file == nil {
		return nil
	}
	for side, half := range r.half {
		if len(half) > 0 {
			if err := r.write([]byte(r.line(side, half))); err != nil {
				return err
			}
			r.half[side] = nil
		}
	}
	f := r.file
	r.file = nil
	return f.Close()
}
