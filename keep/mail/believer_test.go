package mail_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/proto/imap"
)

// errGone is a selected mailbox that somebody deleted.
var errGone = errors.New("the mailbox is no more")

// seen is what a believer was told of a message.
type seen struct {
	uid    uint32 // 0: not told yet
	flags  []imap.Flag
	known  bool // flags are
	modseq uint64
}

// believer is a client of IMAP that keeps all it is told of its mailbox, and
// finds what contradicts it.
type believer struct {
	nc     net.Conn
	r      *bufio.Reader
	tag    int
	ledger *ledger

	condstore, qresync bool

	box         string // selected; "": none
	validity    uint32
	next        uint32
	highest     uint64
	view        []*seen  // by sequence number
	earlier     imap.Set // VANISHED (EARLIER)
	later       imap.Set // VANISHED since the mailbox was selected
	gone        bool     // a BYE told that the mailbox was deleted
	numbersHold bool     // the command that runs has sequence numbers
	extra       []string // untagged lines that are not of the view
	commands    int
	said        []string // the end of the conversation
}

// ledger is what all believers know together: no UID is given twice, and a
// message stays what it is.
type ledger struct {
	mu    sync.Mutex
	ids   map[[2]uint32]string // EMAILID by UIDVALIDITY and UID
	given map[[2]uint32]bool   // by COPYUID and APPENDUID
}

func newLedger() *ledger {
	return &ledger{ids: map[[2]uint32]string{}, given: map[[2]uint32]bool{}}
}

func (l *ledger) is(validity, uid uint32, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]uint32{validity, uid}
	if was, ok := l.ids[key]; ok && was != id {
		return fmt.Errorf("UID %d was %s and is %s", uid, was, id)
	}
	l.ids[key] = id
	return nil
}

func (l *ledger) give(validity uint32, uids imap.Set) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for uid := range uids.All() {
		key := [2]uint32{validity, uid}
		if l.given[key] {
			return fmt.Errorf("UID %d of %d was given twice", uid, validity)
		}
		l.given[key] = true
	}
	return nil
}

func (b *believer) connect(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	_ = nc.SetDeadline(time.Now().Add(10 * time.Minute))
	b.nc, b.r, b.gone = nc, bufio.NewReader(nc), false
	b.leave()
	if _, err := b.response(); err != nil {
		return err
	}
	if err := b.must("LOGIN stress secret"); err != nil {
		return err
	}
	if b.qresync {
		return b.must("ENABLE QRESYNC")
	}
	return nil
}

// leave forgets the mailbox.
func (b *believer) leave() {
	b.box, b.view, b.validity, b.highest, b.earlier, b.later = "", nil, 0, 0, nil, nil
}

var literalEnd = regexp.MustCompile(`\{(\d+)\}\r\n$`)

// response reads a response with its literals.
func (b *believer) response() (string, error) {
	var whole strings.Builder
	for {
		line, err := b.r.ReadString('\n')
		if err != nil {
			return whole.String(), err
		}
		b.remember("S", line)
		whole.WriteString(line)
		m := literalEnd.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(line, "+") {
			return strings.TrimSuffix(whole.String(), "\r\n"), nil
		}
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil {
			return "", err
		}
		if _, err := io.CopyN(&whole, b.r, n); err != nil {
			return "", err
		}
	}
}

// must is do of what cannot be refused.
func (b *believer) must(command string) error {
	st, err := b.do(command)
	if err == nil && st.Kind != imap.OK {
		return fmt.Errorf("%s: %w", command, st)
	}
	return err
}

// do says a command and believes the answers. NO is no error, BAD is.
func (b *believer) do(command string) (imap.Status, error) {
	b.numbersHold = false
	for _, verb := range []string{"FETCH ", "STORE ", "SEARCH ", "SORT ", "THREAD "} {
		b.numbersHold = b.numbersHold || strings.HasPrefix(command, verb)
	}
	b.extra = nil
	tag, err := b.say(command)
	if err != nil {
		return imap.Status{}, err
	}
	st, err := b.hearTo(tag)
	if err != nil {
		return st, fmt.Errorf("%.200s: %w", command, err)
	}
	if st.Kind == imap.BAD {
		return st, fmt.Errorf("%.200s: %w", command, st)
	}
	if err := b.code(st.Code); err != nil || !b.gone {
		return st, err
	}
	return st, errGone
}

func (b *believer) say(command string) (tag string, err error) {
	b.tag++
	b.commands++
	tag = "t" + strconv.Itoa(b.tag)
	b.remember("C", tag+" "+command)
	_, err = io.WriteString(b.nc, tag+" "+command+"\r\n")
	return tag, err
}

// remember keeps what was said last, for one who wants to know why.
func (b *believer) remember(who, line string) {
	const most = 60
	if len(b.said) >= 2*most {
		b.said = append(b.said[:0], b.said[most:]...)
	}
	b.said = append(b.said, fmt.Sprintf("%s %s: %.200q", time.Now().Format("05.000000"), who, line))
}

// hearTo believes until the status of a command, or until "+" where tag is that.
func (b *believer) hearTo(tag string) (imap.Status, error) {
	for {
		line, err := b.response()
		if err != nil && b.gone {
			return imap.Status{}, errGone
		}
		if err != nil {
			return imap.Status{}, err
		}
		r, err := imap.ParseResponse([]byte(line))
		if err != nil {
			return imap.Status{}, fmt.Errorf("%q: %w", line, err)
		}
		switch r.Tag {
		case tag:
			if tag == "+" {
				return imap.Status{}, nil
			}
			return r.Status()
		case "*":
			if err := b.hear(r); err != nil {
				return imap.Status{}, fmt.Errorf("%q: %w", line, err)
			}
		default:
			return imap.Status{}, fmt.Errorf("%q: not the answer to %s", line, tag)
		}
	}
}

// hear believes an untagged response.
func (b *believer) hear(r imap.Response) error {
	switch r.Name {
	case "EXISTS":
		return b.exists(int(r.Number))
	case "EXPUNGE":
		return b.expunge(int(r.Number))
	case "VANISHED":
		v, err := imap.ParseVanished(r.Rest)
		if err != nil {
			return err
		}
		if v.Earlier {
			b.earlier = b.earlier.Union(v.UIDs)
			return nil
		}
		return b.vanished(v.UIDs)
	case "FETCH":
		f, err := imap.ParseFetched(r.Rest)
		if err != nil {
			return err
		}
		return b.fetched(int(r.Number), f)
	case "OK", "NO":
		st, err := r.Status()
		if err != nil {
			return err
		}
		if st.Code.Name == "CLOSED" {
			b.leave()
		}
		return b.code(st.Code)
	case "BYE":
		st, err := r.Status()
		b.gone = b.gone || st.Code.Name == imap.CodeNonExistent
		return err
	}
	b.extra = append(b.extra, r.Name+" "+string(r.Rest))
	return nil
}

// code believes a response code.
func (b *believer) code(c imap.Code) error {
	number := func() uint64 {
		n, _ := strconv.ParseUint(c.Args, 10, 63) // 0, which is wrong below
		return n
	}
	switch c.Name {
	case "UIDVALIDITY":
		b.validity = uint32(number())
	case "UIDNEXT":
		b.next = uint32(number())
	case "HIGHESTMODSEQ":
		if n := number(); n < b.highest || n == 0 {
			return fmt.Errorf("HIGHESTMODSEQ went from %d to %s", b.highest, c.Args)
		}
		b.highest = number()
	case "COPYUID":
		u, err := imap.ParseCopyUID(c.Args)
		if err != nil || u.Source.Count() != u.Dest.Count() {
			return fmt.Errorf("COPYUID %s: %w", c.Args, err)
		}
		return b.ledger.give(u.UIDValidity, u.Dest)
	case "APPENDUID":
		u, err := imap.ParseAppendUID(c.Args)
		if err != nil {
			return err
		}
		return b.ledger.give(u.UIDValidity, u.UIDs)
	}
	return nil
}

func (b *believer) exists(n int) error {
	if n < len(b.view) {
		return fmt.Errorf("there were %d", len(b.view))
	}
	for len(b.view) < n {
		b.view = append(b.view, &seen{})
	}
	return nil
}

func (b *believer) expunge(n int) error {
	if b.numbersHold || b.qresync || n < 1 || n > len(b.view) {
		return fmt.Errorf("not now, or not of %d", len(b.view))
	}
	b.view = slices.Delete(b.view, n-1, n)
	return nil
}

func (b *believer) vanished(uids imap.Set) error {
	if b.numbersHold || !b.qresync {
		return errors.New("not now")
	}
	b.later = b.later.Union(uids)
	for uid := range uids.All() {
		i := slices.IndexFunc(b.view, func(m *seen) bool { return m.uid == uid })
		if i < 0 { // its UID was never told: it stands between those that were
			i = b.placeOf(uid)
		}
		if i < 0 {
			return fmt.Errorf("%d was not there", uid)
		}
		b.view = slices.Delete(b.view, i, i+1)
	}
	return nil
}

// placeOf is a message without a UID that can have this one.
func (b *believer) placeOf(uid uint32) int {
	place := -1
	for i, m := range b.view {
		switch {
		case m.uid > uid:
			return place
		case m.uid > 0:
			place = -1
		case place < 0:
			place = i
		}
	}
	return place
}

func (b *believer) fetched(n int, f *imap.Fetched) error {
	if n < 1 || n > len(b.view) {
		return fmt.Errorf("there are %d", len(b.view))
	}
	m := b.view[n-1]
	if f.Has(imap.ItemUID) {
		if f.UID == 0 || m.uid != 0 && m.uid != f.UID {
			return fmt.Errorf("it was UID %d", m.uid)
		}
		m.uid = f.UID
		if err := b.ascends(n - 1); err != nil {
			return err
		}
	}
	if f.Has(imap.ItemFlags) {
		m.flags, m.known = slices.Clone(f.Flags), true
		m.flags = slices.DeleteFunc(m.flags, func(f imap.Flag) bool { return f.Is(imap.Recent) }) // the session's own
	}
	if f.Has(imap.ItemModSeq) {
		if f.ModSeq < m.modseq || f.ModSeq == 0 {
			return fmt.Errorf("MODSEQ was %d", m.modseq)
		}
		m.modseq = f.ModSeq
	}
	if f.Has("RFC822.SIZE") {
		for _, p := range f.Pieces {
			whole := p.Item.Name == "BODY[]" && p.Item.Section.Text == "" && p.Item.Section.Part == nil && p.Item.Partial == nil
			if whole && int64(len(p.Data)) != f.Size {
				return fmt.Errorf("BODY[] has %d octets", len(p.Data))
			}
		}
	}
	if f.Has("EMAILID") && m.uid != 0 {
		return b.ledger.is(b.validity, m.uid, f.EmailID)
	}
	return nil
}

// ascends tells whether a message's UID stands in order.
func (b *believer) ascends(at int) error {
	uid := b.view[at].uid
	for i := at - 1; i >= 0; i-- {
		if other := b.view[i].uid; other > 0 {
			if other >= uid {
				return fmt.Errorf("UID %d comes behind %d", uid, other)
			}
			break
		}
	}
	for _, m := range b.view[at+1:] {
		if m.uid > 0 && m.uid <= uid {
			return fmt.Errorf("UID %d comes before %d", uid, m.uid)
		} else if m.uid > 0 {
			break
		}
	}
	return nil
}
