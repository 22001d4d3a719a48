package mail_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/farend-go/farend/proto/imap"
)

// stresser is a believer that does what it likes.
type stresser struct {
	believer
	world  *world
	rand   *rand.Rand
	number *atomic.Int64     // of messages that were made
	ring   []int64           // those that this client put into the ring
	counts map[string]int    // commands by verb
	left   map[uint32]left   // by UIDVALIDITY
	names  map[uint32]string // as they were last
}

// left is what a client knows of a mailbox that it was in.
type left struct {
	next    uint32
	highest uint64
	uids    imap.Set
	whole   bool // uids is right, and highest is where to resume
}

// The ring is mailboxes from which nothing is ever removed but by MOVE.
var (
	ringBoxes = []string{"Ring/1", "Ring/2", "Ring/3", "Ring/4"}
	workBoxes = []string{"INBOX", "INBOX", "Work", "Tmp/a", "Tmp/b"}
	allBoxes  = slices.Concat(ringBoxes, workBoxes)
	words     = []string{`\Seen`, `\Flagged`, `\Answered`, `\Draft`, "$Forwarded", "work", "$Junk"}
)

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (s *stresser) inRing() bool { return strings.HasPrefix(s.box, "Ring/") }

// neighbours are where messages may go from here.
func (s *stresser) neighbours() []string {
	if s.inRing() {
		return ringBoxes
	}
	return workBoxes
}

// step is one thing that a user does.
func (s *stresser) step() error {
	var err error
	switch n := s.rand.IntN(100); {
	case s.box == "" || n < 8:
		err = s.enter(pick(s.rand, allBoxes...))
	case n < 11:
		err = s.again()
	case n < 16:
		err = s.idle()
	case n < 30:
		err = s.elsewhere()
	case n < 40:
		err = s.append()
	case len(s.view) == 0:
		err = s.run("NOOP")
	case n < 60:
		err = s.fetch()
	case n < 70:
		err = s.find()
	case n < 84:
		err = s.store()
	case n < 94:
		err = s.transfer()
	default:
		err = s.remove()
	}
	if err == nil && s.qresync && slices.ContainsFunc(s.view, func(m *seen) bool { return m.uid == 0 }) {
		err = s.run("UID FETCH 1:* (UID FLAGS)")
	}
	if errors.Is(err, errGone) && !s.inRing() {
		s.nc.Close()
		return s.connect(s.world.imap)
	}
	return err
}

// ask is do that counts.
func (s *stresser) ask(format string, args ...any) (imap.Status, error) {
	command := fmt.Sprintf(format, args...)
	verb, rest, _ := strings.Cut(command, " ")
	if verb == "UID" {
		second, _, _ := strings.Cut(rest, " ")
		verb += " " + second
	}
	s.counts[verb]++
	return s.do(command)
}

// run is ask where it may be refused.
func (s *stresser) run(format string, args ...any) error {
	_, err := s.ask(format, args...)
	return err
}

// enter selects a mailbox, and compares it with what it was.
func (s *stresser) enter(box string) error {
	if err := s.note(); err != nil {
		return err
	}
	args, was, of := box, left{}, uint32(0)
	switch {
	case s.qresync:
		for validity, l := range s.left {
			if l.whole && s.names[validity] == box {
				was, of = l, validity
				args = fmt.Sprintf("%s (QRESYNC (%d %d))", box, validity, l.highest)
			}
		}
	case s.condstore && s.rand.IntN(2) == 0:
		args += " (CONDSTORE)"
	}
	st, err := s.ask("%s %s", pick(s.rand, "SELECT", "SELECT", "EXAMINE"), args)
	if err != nil || st.Kind != imap.OK {
		return err
	}
	s.box = box
	l, known := s.left[s.validity]
	if known && (s.next < l.next || s.highest < l.highest) {
		return fmt.Errorf("%s: UIDNEXT was %d, is %d; HIGHESTMODSEQ %d, %d", args, l.next, s.next, l.highest, s.highest)
	}
	resumed := was.whole && of == s.validity // another may have the name by now
	l.next, l.highest, l.whole = s.next, s.highest, false
	s.left[s.validity], s.names[s.validity] = l, box
	if !resumed {
		return nil
	}
	return s.resumed(args, was)
}

// resumed compares what QRESYNC told of the time between with what there is.
func (s *stresser) resumed(args string, was left) error {
	if err := s.run("UID FETCH 1:* (UID FLAGS)"); err != nil {
		return err
	}
	var is imap.Set
	for _, m := range s.view {
		if m.uid > 0 && m.uid < was.next {
			is.Add(m.uid)
		}
	}
	if want := was.uids.Minus(s.earlier).Minus(s.later); !slices.Equal(is, want) {
		return fmt.Errorf("SELECT %s: there were %v, VANISHED were %v and %v, there are %v", args, was.uids, s.earlier, s.later, is)
	}
	return nil
}

// note keeps what is known of the mailbox that is being left.
func (s *stresser) note() error {
	if s.box == "" || !s.qresync {
		return nil
	}
	if err := s.run("UID FETCH 1:* (UID FLAGS MODSEQ)"); err != nil {
		return err
	}
	l := left{next: s.next, highest: s.highest, whole: true}
	for _, m := range s.view {
		if m.uid == 0 {
			return nil // it came just now
		}
		l.uids.Add(m.uid)
		l.next, l.highest = max(l.next, m.uid+1), max(l.highest, m.modseq)
	}
	s.left[s.validity] = l
	return nil
}

// again logs out and comes back.
func (s *stresser) again() error {
	if err := s.note(); err != nil {
		return err
	}
	s.counts["LOGOUT"]++
	tag, err := s.say("LOGOUT")
	if err == nil {
		_, err = s.hearTo(tag)
	}
	if err == nil {
		if _, err = s.r.ReadByte(); err == nil {
			return errors.New("the server goes on behind LOGOUT")
		}
	}
	s.nc.Close()
	if !errors.Is(err, io.EOF) {
		return err
	}
	return s.connect(s.world.imap)
}

// idle waits for the news of a message that comes.
func (s *stresser) idle() error {
	s.counts["IDLE"]++
	s.numbersHold = false
	tag, err := s.say("IDLE")
	if err != nil {
		return err
	}
	if _, err := s.hearTo("+"); err != nil {
		return err
	}
	if s.box == "INBOX" {
		if err := s.world.slip("stress", s.number.Add(1)); err != nil {
			return err
		}
		for n := 0; n == 0; {
			line, err := s.response()
			if err != nil {
				return err
			}
			r, err := imap.ParseResponse([]byte(line))
			if err == nil {
				err = s.hear(r)
			}
			if err != nil {
				return fmt.Errorf("IDLE: %q: %w", line, err)
			}
			if r.Name == "EXISTS" {
				n++
			}
		}
	}
	if _, err := io.WriteString(s.nc, "DONE\r\n"); err != nil {
		return err
	}
	_, err = s.hearTo(tag)
	return err
}

// elsewhere is what is not about the messages here.
func (s *stresser) elsewhere() error {
	box := pick(s.rand, allBoxes...)
	switch s.rand.IntN(16) {
	case 0, 1:
		return s.run("CREATE Tmp/%s", pick(s.rand, "a", "b"))
	case 2:
		return s.run("DELETE Tmp/%s", pick(s.rand, "a", "b"))
	case 3:
		return s.run("RENAME %s", pick(s.rand, "Tmp/a Tmp/b", "Tmp/b Tmp/a", "Ring/3 Ring/4", "Ring/4 Ring/3"))
	case 4:
		return s.run("%s %s", pick(s.rand, "SUBSCRIBE", "UNSUBSCRIBE"), box)
	case 5:
		return s.run("LIST \"\" %s", pick(s.rand, "*", "%", "Ring/%", `""`))
	case 6:
		return s.run(`LIST (SUBSCRIBED RECURSIVEMATCH) "" * RETURN (CHILDREN SPECIAL-USE STATUS (MESSAGES UNSEEN))`)
	case 7:
		return s.run(`LSUB "" *`)
	case 8:
		return s.run("%s", pick(s.rand, "NAMESPACE", "CAPABILITY", `GETQUOTA ""`, "GETQUOTAROOT INBOX", `ID ("name" "stress")`, "CHECK"))
	case 9:
		if s.rand.IntN(3) > 0 || s.inRing() {
			return s.run("NOOP")
		}
		err := s.run("%s", pick(s.rand, "UNSELECT", "CLOSE"))
		if err == nil {
			s.leave()
		}
		return err
	case 10:
		return s.run("NOTIFY %s", pick(s.rand, "NONE", "SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName))"))
	}
	return s.status(box)
}

// status asks for the counts, which never go back.
func (s *stresser) status(box string) error {
	if err := s.run("STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ MAILBOXID)", box); err != nil {
		return err
	}
	for _, line := range s.extra {
		rest, ok := strings.CutPrefix(line, "STATUS ")
		if !ok {
			continue
		}
		st, err := imap.ParseStatusReply([]byte(rest), false)
		if err != nil {
			return err
		}
		if l := s.left[st.UIDValidity]; st.UIDNext > 0 && (st.UIDNext < l.next || slices.Contains(st.Items, imap.StatusHighestModSeq) && st.HighestModSeq < l.highest) || st.Messages < st.Unseen {
			return fmt.Errorf("%s where UIDNEXT was %d and HIGHESTMODSEQ %d", line, l.next, l.highest)
		}
	}
	return nil
}
