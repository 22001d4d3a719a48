package maildir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Dir is an open Maildir.
type Dir struct{ root *os.Root }

// Entry is a message.
type Entry struct {
	// Key is what names the message for as long as it is there.
	Key string
	// Flags are none for a new message.
	Flags Flags
	// New tells that nobody has looked at it: it lies below new.
	New bool
	// Name is the file's path below the Maildir, with "/".
	Name string
}

// Open opens a Maildir. The error is the system's, or fs.ErrNotExist if there
// is none of cur, new and tmp.
func Open(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{root}
	for _, sub := range [...]string{"cur", "new", "tmp"} {
		if info, err := root.Stat(sub); err != nil || !info.IsDir() {
			return nil, errors.Join(fmt.Errorf("maildir: %s is no Maildir: %s: %w", name, sub, fs.ErrNotExist), root.Close())
		}
	}
	return d, nil
}

// Create opens a Maildir and makes first what is missing of it.
func Create(name string) (*Dir, error) {
	for _, sub := range [...]string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(name, sub), 0o700); err != nil {
			return nil, err
		}
	}
	return Open(name)
}

// Close closes the directory; files that were opened stay open.
func (d *Dir) Close() error { return d.root.Close() }

// Deliver writes a message and gives its entry once it is safe on the disk: a
// new one, or with flags one that was looked at ("" are no flags). After an
// error nothing is there.
func (d *Dir) Deliver(r io.Reader, flags Flags) (Entry, error) {
	return d.deliver(newKey(), r, flags, time.Time{})
}

func (d *Dir) deliver(key string, r io.Reader, flags Flags, date time.Time) (Entry, error) {
	tmp := path.Join("tmp", newKey())
	err := d.write(tmp, r)
	if err == nil && !date.IsZero() {
		err = d.root.Chtimes(tmp, date, date)
	}
	if err != nil {
		return Entry{}, errors.Join(err, ignoreMissing(d.root.Remove(tmp)))
	}
	flags = ParseFlags(string(flags))
	e := entry(key, flags, flags == "")
	if err := d.root.Rename(tmp, e.Name); err != nil {
		return Entry{}, errors.Join(err, d.root.Remove(tmp))
	}
	return e, d.sync(path.Dir(e.Name))
}

// Put is Deliver under a key and with a time that the caller has: for a program
// that brings the same messages again, and knows by the keys which are there. A
// zero date is now.
func (d *Dir) Put(key string, r io.Reader, flags Flags, date time.Time) (Entry, error) {
	if key == "" || strings.ContainsAny(key, "/\\:;!\x00") || key[0] == '.' {
		return Entry{}, fmt.Errorf("maildir: %q: no key: %w", key, fs.ErrInvalid)
	}
	return d.deliver(key, r, flags, date)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *Dir) write(name string, r io.Reader) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

// newKey makes a name as nobody else makes it: time, 130 random bits, host.
func newKey() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	host = strings.NewReplacer("/", `\057`, ":", `\072`, `\`, "_", ";", "_").Replace(host)
	return fmt.Sprintf("%d.%s.%s", time.Now().Unix(), rand.Text(), host)
}

func entry(key string, flags Flags, isNew bool) Entry {
	if isNew {
		return Entry{Key: key, New: true, Name: path.Join("new", key)}
	}
	return Entry{Key: key, Flags: flags, Name: path.Join("cur", key+mark+"2,"+string(flags))}
}

// parseName reads a file's name: key, and flags behind ":2,". Other info than
// version 2 is none.
func parseName(dir, name string) Entry {
	e := Entry{Key: name, New: dir == "new", Name: path.Join(dir, name)}
	if i := strings.LastIndexAny(name, ":;!"); i > 0 && (name[i] == mark[0] || strings.HasPrefix(name[i+1:], "2,")) {
		e.Key = name[:i]
		if letters, ok := strings.CutPrefix(name[i+1:], "2,"); ok {
			letters, _, _ = strings.Cut(letters, ",")
			e.Flags = ParseFlags(letters)
		}
	}
	return e
}

// Messages gives what lies below new, then below cur, each in the order of
// names, which is that of arrival to the second. Files that begin with a dot
// are none. The error, which ends the iteration, is the system's.
func (d *Dir) Messages() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, sub := range [...]string{"new", "cur"} {
			list, err := fs.ReadDir(d.root.FS(), sub)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, f := range list {
				if !strings.HasPrefix(f.Name(), ".") && f.Type().IsRegular() && !yield(parseName(sub, f.Name()), nil) {
					return
				}
			}
		}
	}
}

// Find gives the entry of a key. The error is fs.ErrNotExist if it is gone.
func (d *Dir) Find(key string) (Entry, error) {
	for e, err := range d.Messages() {
		if err != nil || e.Key == key {
			return e, err
		}
	}
	return Entry{}, fmt.Errorf("maildir: %s: %w", key, fs.ErrNotExist)
}

// Open opens a message's file; the caller closes it. If the file was renamed
// because somebody changed its flags, it is looked for.
func (d *Dir) Open(e Entry) (*os.File, error) {
	f, err := d.root.Open(e.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	now, findErr := d.Find(e.Key)
	if findErr != nil {
		return nil, err
	}
	return d.root.Open(now.Name)
}

// SetFlags gives a message these flags, and moves a new one below cur. It gives
// the entry as it is then.
func (d *Dir) SetFlags(e Entry, flags Flags) (Entry, error) {
	to := entry(e.Key, ParseFlags(string(flags)), false)
	err := d.root.Rename(e.Name, to.Name)
	if errors.Is(err, fs.ErrNotExist) {
		now, findErr := d.Find(e.Key)
		if findErr != nil {
			return e, err
		}
		err = d.root.Rename(now.Name, to.Name)
	}
	if err != nil {
		return e, err
	}
	return to, nil
}

// Remove deletes a message. That it is gone already is no error.
func (d *Dir) Remove(e Entry) error {
	err := d.root.Remove(e.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	now, err := d.Find(e.Key)
	if err != nil {
		return ignoreMissing(err)
	}
	return ignoreMissing(d.root.Remove(now.Name))
}

// maxTemporary is how long a file may lie below tmp (maildir(5): 36 hours).
const maxTemporary = 36 * time.Hour

// Clean deletes what deliveries that came to nothing left below tmp more than
// 36 hours before now.
func (d *Dir) Clean(now time.Time) error {
	list, err := fs.ReadDir(d.root.FS(), "tmp")
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range list {
		info, err := f.Info()
		if err == nil && info.Mode().IsRegular() && now.Sub(info.ModTime()) > maxTemporary {
			err = d.root.Remove(path.Join("tmp", f.Name()))
		}
		errs = append(errs, ignoreMissing(err))
	}
	return errors.Join(errs...)
}

// Folders gives the names of the folders of Maildir++ below this one, without
// their first dot: "Sent", "lists.go".
func (d *Dir) Folders() ([]string, error) {
	list, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range list {
		if name, ok := strings.CutPrefix(f.Name(), "."); ok && name != "" && f.IsDir() {
			if info, err := d.root.Stat(path.Join(f.Name(), "cur")); err == nil && info.IsDir() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
