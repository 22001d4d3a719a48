package letters

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/farend-go/farend/message/maildir"
	"github.com/farend-go/farend/message/mbox"
	"github.com/farend-go/farend/proto/imap"
)

// A Letter is a message of a Source.
type Letter struct {
	Name  string // where it lies, for errors
	Flags []imap.Flag
	Date  time.Time // when it was delivered; zero: unknown
	Text  []byte    // with CRLF line ends
	Size  int64     // in the file
}

// A Source is mail in a file or a directory. It is used by one goroutine, and
// closed by its caller.
type Source struct {
	Size    int64 // of all in bytes, -1: unknown
	letters func(yield func(Letter, error) bool)
	close   func() error
}

// All gives the letters, once. The error, which ends them, is the system's, or
// ErrTooLong.
func (s *Source) All() iter.Seq2[Letter, error] { return s.letters }

// Close closes what is open.
func (s *Source) Close() error { return s.close() }

// ErrTooLong is a message over Longest.
var ErrTooLong = errors.New("a message of more than 256 MiB")

// Longest is how long a message may be: each is held in memory.
const Longest = 256 << 20

// ErrNone is a directory without mail.
var ErrNone = errors.New("neither a Maildir (cur, new, tmp) nor a directory with .eml files")

// Open opens a Maildir, a directory of .eml files or an mbox. A file that is no
// mbox is a single message: nil, nil.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDir(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, 64<<10)
	if !IsMbox(r) {
		return nil, f.Close()
	}
	s := Mbox(r)
	s.Size, s.close = info.Size(), f.Close
	return s, nil
}

// IsMbox looks whether an mbox begins here: a line "From " with a time in it.
func IsMbox(r *bufio.Reader) bool {
	b, _ := r.Peek(512) // there may be less
	line, _, _ := bytes.Cut(b, []byte("\n"))
	from, ok := bytes.CutPrefix(line, []byte("From "))
	return ok && bytes.Contains(from, []byte(":"))
}

// Mbox reads an mbox as a stream.
func Mbox(r io.Reader) *Source {
	return &Source{Size: -1, close: func() error { return nil }, letters: func(yield func(Letter, error) bool) {
		n := 0
		for m, err := range mbox.Read(r, mbox.RD) {
			n++
			l := Letter{Name: fmt.Sprintf("message %d", n), Date: m.Date}
			if err == nil {
				l.Text, l.Size, err = whole(m.Text)
			}
			if err != nil {
				yield(l, err)
				return
			}
			header, body := split(l.Text)
			l.Flags = fromStatus(header)
			l.Text = append(strip(header), body...)
			if !yield(l, nil) {
				return
			}
		}
	}}
}

// whole reads a message, and gives it with CRLF line ends.
func whole(r io.Reader) (text []byte, size int64, err error) {
	b, err := io.ReadAll(io.LimitReader(r, Longest+1))
	if err == nil && len(b) > Longest {
		err = ErrTooLong
	}
	size = int64(len(b))
	if bytes.Count(b, []byte("\n")) == bytes.Count(b, []byte("\r\n")) {
		return b, size, err
	}
	text = make([]byte, 0, len(b)+len(b)/32)
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			text = append(text, '\r')
		}
		text = append(text, c)
	}
	return text, size, err
}

func openDir(path string) (*Source, error) {
	d, err := maildir.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return openFolder(path)
	}
	if err != nil {
		return nil, err
	}
	keywords, err := d.Keywords()
	var all []maildir.Entry
	size := int64(0)
	for e, listed := range d.Messages() {
		if err = errors.Join(err, listed); err != nil {
			break
		}
		all = append(all, e)
		if info, err := os.Stat(filepath.Join(path, filepath.FromSlash(e.Name))); err == nil {
			size += info.Size()
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	slices.SortStableFunc(all, func(a, b maildir.Entry) int { return strings.Compare(a.Key, b.Key) }) // that of arrival
	return &Source{Size: size, close: d.Close, letters: func(yield func(Letter, error) bool) {
		for _, e := range all {
			l := Letter{Name: e.Name, Flags: fromLetters(e.Flags, keywords)}
			f, err := d.Open(e)
			if errors.Is(err, fs.ErrNotExist) {
				continue // somebody has removed it meanwhile
			}
			if err == nil {
				l, err = l.read(f)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}}, nil
}

// read reads the letter's file, and closes it.
func (l Letter) read(f fs.File) (Letter, error) {
	info, err := f.Stat()
	if err == nil {
		l.Date = info.ModTime()
		l.Text, l.Size, err = whole(f)
	}
	return l, errors.Join(err, f.Close())
}

// openFolder reads a directory of .eml files.
func openFolder(path string) (*Source, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	list, err := fs.ReadDir(root.FS(), ".")
	var names []string
	size := int64(0)
	for _, f := range list {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() && strings.EqualFold(filepath.Ext(f.Name()), ".eml") {
			names = append(names, f.Name())
			size += info.Size()
		}
	}
	if err == nil && len(names) == 0 {
		err = ErrNone
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Source{Size: size, close: root.Close, letters: func(yield func(Letter, error) bool) {
		for _, name := range names {
			l := Letter{Name: name}
			f, err := root.Open(name)
			if err == nil {
				l, err = l.read(f)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}}, nil
}
