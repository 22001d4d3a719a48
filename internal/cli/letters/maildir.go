package letters

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/farend-go/farend/message/maildir"
	"github.com/farend-go/farend/proto/imap"
)

// inMaildir is a Maildir as a Target. A message's key tells whence it is, so
// that nothing but the files' names says what is there.
type inMaildir struct {
	d        *maildir.Dir
	mark     string // in the keys of this mailbox's messages
	have     imap.Set
	keywords []string
	learned  bool // a keyword
}

// ToMaildir makes a Target of a Maildir, which is made where there is none. from
// names the mailbox: each has keys of its own.
func ToMaildir(path, from string, uidValidity uint32) (Target, error) {
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
		d, err := maildir.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is there, and is no Maildir", path)
		}
		if err != nil {
			return nil, err
		}
		d.Close()
	}
	d, err := maildir.Create(path)
	if err != nil {
		return nil, err
	}
	t := &inMaildir{d: d, mark: fmt.Sprintf(".V%d%sU", uidValidity, short(from))}
	if t.keywords, err = d.Keywords(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	for e, err := range d.Messages() {
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		_, rest, ours := strings.Cut(e.Key, t.mark)
		number, _, _ := strings.Cut(rest, ".")
		if uid, err := strconv.ParseUint(number, 10, 32); ours && err == nil {
			t.have.Add(uint32(uid))
		}
	}
	return t, nil
}

func (t *inMaildir) Has() imap.Set { return t.have }

func (t *inMaildir) Add(m Mail, text io.Reader) error {
	flags := toLetters(m.Flags, t.number)
	if t.learned { // before the first message that has it
		if err := t.d.SetKeywords(t.keywords); err != nil {
			return err
		}
		t.learned = false
	}
	key := fmt.Sprintf("%d%s%d.farend", m.Date.Unix(), t.mark, m.UID)
	_, err := t.d.Put(key, newLF(text), flags, m.Date)
	return err
}

// number gives a keyword its number.
func (t *inMaildir) number(keyword string) int {
	free := -1
	for i, k := range t.keywords {
		if strings.EqualFold(k, keyword) {
			return i
		}
		if k == "" && free < 0 {
			free = i
		}
	}
	if free < 0 {
		if free = len(t.keywords); free == maildir.MaxKeywords {
			return -1
		}
		t.keywords = append(t.keywords, "")
	}
	t.keywords[free], t.learned = keyword, true
	return free
}

func (t *inMaildir) Close() error { return t.d.Close() }

// lf gives LF for CRLF.
type lf struct{ r *bufio.Reader }

func newLF(r io.Reader) *lf { return &lf{bufio.NewReaderSize(r, 32<<10)} }

func (l *lf) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c, err := l.r.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '\r' {
			if next, _ := l.r.Peek(1); len(next) == 1 && next[0] == '\n' {
				continue
			}
		}
		p[n] = c
		n++
		if l.r.Buffered() == 0 {
			break
		}
	}
	return n, nil
}
