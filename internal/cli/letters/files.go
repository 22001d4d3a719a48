package letters

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/message/mbox"
	"github.com/farend-go/farend/proto/imap"
)

// FormOf is the form in which mail is written to a path that does not exist, or
// does: "mbox" to one that ends in .mbox, "maildir" into a directory, else "".
func FormOf(path string) string {
	if strings.HasSuffix(strings.ToLower(path), ".mbox") {
		return "mbox"
	}
	info, err := os.Stat(path)
	if strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)) || err == nil && info.IsDir() {
		return "maildir"
	}
	return ""
}

// short tells one name from others.
func short(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
}

// inFolder is a directory of .eml files as a Target.
type inFolder struct {
	root *os.Root
	mark string
	have imap.Set
}

// ToFolder makes a Target of a directory, which is made where there is none: a
// file for each message, its name ends in the UID.
func ToFolder(path, from string, uidValidity uint32) (Target, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	t := &inFolder{root: root, mark: fmt.Sprintf("%d-%s-", uidValidity, short(from))}
	list, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	for _, f := range list {
		number, ours := strings.CutPrefix(strings.TrimSuffix(f.Name(), ".eml"), t.mark)
		if uid, err := strconv.ParseUint(number, 10, 32); ours && err == nil && strings.HasSuffix(f.Name(), ".eml") {
			t.have.Add(uint32(uid))
		}
	}
	return t, nil
}

func (t *inFolder) Has() imap.Set { return t.have }

func (t *inFolder) Add(m Mail, text io.Reader) (err error) {
	name := fmt.Sprintf("%s%d.eml", t.mark, m.UID)
	f, err := t.root.Create(name + ".part")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = t.root.Chtimes(name+".part", m.Date, m.Date)
	}
	if err == nil {
		return t.root.Rename(name+".part", name)
	}
	return errors.Join(err, t.root.Remove(name+".part"))
}

func (t *inFolder) Close() error { return t.root.Close() }

// inMbox is an mbox as a Target.
type inMbox struct {
	w    *mbox.Writer
	f    *os.File // nil: a stream
	path string
	note note
	size int64
	left int64 // where ends what an earlier run, or anybody since, left behind note.Size
	late int   // messages that the note does not tell of yet
}

// ErrForeign is an mbox in which there is something else where messages were
// being written, as another program's mail: it is neither cut off nor written over.
var ErrForeign = errors.New("it is not what was being written there")

// A note lies beside an mbox and tells what is in it.
type note struct {
	Mailbox     string `json:"mailbox"`
	UIDValidity uint32 `json:"uidvalidity"`
	UIDs        string `json:"uids"`
	Size        int64  `json:"size"` // of the file with these
	Open        bool   `json:"open"` // somewhere behind Size writing may have ended
	have        imap.Set
}

// ToStream makes a Target of an mbox that is written once.
func ToStream(w io.Writer) Target { return &inMbox{w: mbox.NewWriter(w)} }

// ToMbox makes a Target of an mbox in a file, with a note beside it, of the same
// name and .json. A file that is there without one is left alone.
func ToMbox(path, from string, uidValidity uint32) (Target, error) {
	t := &inMbox{path: path, note: note{Mailbox: from, UIDValidity: uidValidity}}
	text, err := os.ReadFile(path + ".json")
	info, statErr := os.Stat(path)
	switch {
	case err == nil && statErr == nil:
		if err := t.goOn(text); err != nil {
			return nil, err
		}
	case errors.Is(err, fs.ErrNotExist) && statErr == nil && info.Size() > 0:
		return nil, fmt.Errorf("%s is there, and nothing (%s.json) tells what is in it", path, path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if t.f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if t.size, err = t.f.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(err, t.f.Close())
	}
	if t.note.Open && t.size > t.note.Size {
		t.size, t.left = t.note.Size, t.size
	}
	t.w = mbox.NewWriter(writes{t})
	return t, nil
}

// goOn reads the note of an earlier run.
func (t *inMbox) goOn(text []byte) (err error) {
	var old note
	if err = json.Unmarshal(text, &old); err == nil && old.UIDs != "" {
		old.have, err = imap.ParseSet(old.UIDs)
	}
	if err != nil {
		return fmt.Errorf("%s.json cannot be read: %w", t.path, err)
	}
	if old.Mailbox != t.note.Mailbox || old.UIDValidity != t.note.UIDValidity {
		return fmt.Errorf("%s has the messages of %s (UIDVALIDITY %d), not of %s (UIDVALIDITY %d): another FILE",
			t.path, old.Mailbox, old.UIDValidity, t.note.Mailbox, t.note.UIDValidity)
	}
	t.note = old
	return nil
}

// writes puts bytes behind those before, and counts them. What a run that was
// killed left there is the same once more, or is not ours.
type writes struct{ t *inMbox }

func (w writes) Write(p []byte) (n int, err error) {
	t := w.t
	if t.size < t.left {
		old := make([]byte, min(int64(len(p)), t.left-t.size))
		if _, err := t.f.ReadAt(old, t.size); err != nil {
			return 0, err
		}
		if n = len(old); string(old) != string(p[:n]) {
			return 0, t.foreign()
		}
		t.size += int64(n)
	}
	if n == len(p) {
		return n, nil
	}
	if ours, err := t.atEnd(); err != nil || !ours {
		return n, cmp.Or(err, t.foreign())
	}
	k, err := t.f.WriteAt(p[n:], t.size)
	t.size += int64(k)
	return n + k, err
}

// atEnd tells whether nobody has written behind us.
func (t *inMbox) atEnd() (bool, error) {
	info, err := t.f.Stat()
	return err == nil && info.Size() == t.size, err
}

func (t *inMbox) foreign() error {
	return fmt.Errorf("%s from byte %d on: %w; if nobody needs it, cut it off there, else choose another FILE", t.path, t.note.Size, ErrForeign)
}

// leftFields is the fields with the flags of a message that an earlier run began
// to write here: flags may have changed since. nil: none are here.
func (t *inMbox) leftFields() (fields []byte, err error) {
	if t.size >= t.left {
		return nil, nil
	}
	in := bufio.NewReader(io.NewSectionReader(t.f, t.size, t.left-t.size))
	_, err = in.ReadString('\n') // From
	for err == nil {
		var line string
		line, err = in.ReadString('\n')
		name, _, _ := strings.Cut(line, ":")
		if err != nil || !slices.Contains(statusFields, name) {
			break
		}
		fields = append(fields, line...)
	}
	if err == io.EOF {
		err = nil
	}
	return fields, err
}

func (t *inMbox) Has() imap.Set { return t.note.have }

// Add adds a message with its flags in fields.
func (t *inMbox) Add(m Mail, text io.Reader) error {
	if t.f != nil && !t.note.Open {
		t.note.Size, t.note.Open = t.size, true
		if err := t.save(); err != nil {
			return err
		}
	}
	r := bufio.NewReaderSize(text, 64<<10)
	header, err := readHeader(r)
	if err != nil {
		return err
	}
	status, err := t.leftFields()
	if err != nil {
		return err
	}
	if status == nil {
		status = toStatus(m.Flags)
	}
	head := string(status) + string(strip(header))
	if err := t.w.Append(m.From, m.Date, io.MultiReader(strings.NewReader(head), r)); err != nil {
		return err
	}
	t.note.have.Add(m.UID)
	if t.f == nil {
		return nil
	}
	t.note.Size = t.size
	if t.late++; t.late < 100 {
		return nil
	}
	return t.save()
}

// maxHeader is how much of a header is looked through.
const maxHeader = 1 << 20

// readHeader reads up to the empty line.
func readHeader(r *bufio.Reader) ([]byte, error) {
	var header []byte
	for begins := true; len(header) < maxHeader; {
		line, err := r.ReadSlice('\n')
		header = append(header, line...)
		if err == io.EOF || begins && string(line) == "\r\n" {
			break
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		begins = err == nil
	}
	return header, nil
}

// save writes the note, as a whole.
func (t *inMbox) save() error {
	t.note.UIDs, t.late = t.note.have.String(), 0
	text, err := json.Marshal(t.note)
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(t.path), "."+filepath.Base(t.path)+".json.part")
	if err := os.WriteFile(tmp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, t.path+".json")
}

// Close cuts off a message that did not come whole, unless there is something
// behind it: that is for the next run to look at.
func (t *inMbox) Close() error {
	if t.f == nil {
		return nil
	}
	var err error
	if t.note.Open {
		var last bool
		if last, err = t.atEnd(); last && t.size > t.note.Size {
			err = t.f.Truncate(t.note.Size)
		}
		if err == nil {
			t.note.Open = !last && (t.size > t.note.Size || t.size < t.left)
			err = errors.Join(t.f.Sync(), t.save())
		}
	} else if t.note.UIDs == "" {
		err = t.save() // an empty one, too
	}
	return errors.Join(err, t.f.Close())
}
