package mail_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/imap"
)

// letter is a message with its number in it.
func letter(n int64) string {
	id := fmt.Sprintf("<%d@stress.test>", n)
	head := fmt.Sprintf("From: a%d@x.test\r\nTo: stress@x.test\r\nSubject: Re: letter %d\r\nMessage-ID: %s\r\nReferences: <%d@stress.test>\r\nX-Number: %d\r\n", n%7, n%5, id, n/2, n)
	if n%3 == 0 {
		return head + "\r\n" + strings.Repeat("words and words\r\n", int(n%40))
	}
	return head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n--b--\r\n"
}

// set names some messages, by sequence number or by UID.
func (s *stresser) set(most int) (prefix, set string) {
	first := s.rand.IntN(len(s.view))
	last := min(first+s.rand.IntN(most), len(s.view)-1)
	if s.rand.IntN(2) == 0 || s.view[first].uid == 0 || s.view[last].uid == 0 {
		return "", fmt.Sprintf("%d:%d", last+1, first+1)
	}
	return "UID ", fmt.Sprintf("%d:%d", s.view[first].uid, s.view[last].uid)
}

// append adds a message or two, or puts one in another's place.
func (s *stresser) append() error {
	box := pick(s.rand, workBoxes...)
	ring := s.rand.IntN(4) == 0 && len(s.ring) < 60
	if ring {
		box = pick(s.rand, ringBoxes...)
	}
	command := "APPEND " + box
	numbers := []int64{s.number.Add(1)}
	switch {
	case !ring && !s.inRing() && len(s.view) > 0 && s.rand.IntN(4) == 0:
		command = fmt.Sprintf("REPLACE %d %s", 1+s.rand.IntN(len(s.view)), box)
	case s.rand.IntN(4) == 0:
		numbers = append(numbers, s.number.Add(1))
	}
	for _, n := range numbers {
		text := letter(n)
		if s.rand.IntN(2) == 0 {
			command += fmt.Sprintf(" (%s)", pick(s.rand, words...))
		}
		command += fmt.Sprintf(" {%d+}\r\n%s", len(text), text)
	}
	st, err := s.ask("%s", command)
	if ring && st.Kind == imap.OK {
		s.ring = append(s.ring, numbers...)
	}
	return err
}

var fetchItems = []string{
	"FLAGS", "UID", "MODSEQ", "RFC822.SIZE", "INTERNALDATE", "ENVELOPE", "BODY", "BODYSTRUCTURE", "EMAILID", "SAVEDATE",
	"PREVIEW", "BODY.PEEK[]", "BODY[TEXT]", "BODY.PEEK[HEADER.FIELDS (X-Number)]", "BODY.PEEK[1]<0.5>", "BODY.PEEK[2.MIME]",
	"BINARY.PEEK[2]", "BINARY.SIZE[2]", "RFC822.HEADER", "BODY[]",
}

func (s *stresser) fetch() error {
	prefix, set := s.set(20)
	items := []string{"UID"}
	for range 1 + s.rand.IntN(6) {
		if item := pick(s.rand, fetchItems...); !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	command := fmt.Sprintf("%sFETCH %s (%s)", prefix, set, strings.Join(items, " "))
	if s.condstore && s.rand.IntN(4) == 0 {
		command += fmt.Sprintf(" (CHANGEDSINCE %d)", 1+s.rand.Uint64N(s.highest+1))
	}
	return s.run("%s", command)
}

// find searches, sorts and threads; sequence numbers must be of this view.
func (s *stresser) find() error {
	prefix := pick(s.rand, "", "UID ")
	key := pick(s.rand, "ALL", "UNSEEN", "NOT DELETED", "SUBJECT letter", "OR SEEN FLAGGED", "HEADER X-Number 1", "1:*", "LARGER 300", "KEYWORD work", "TEXT words", "SINCE 1-Jan-2020")
	switch s.rand.IntN(4) {
	case 0:
		return s.run("%sSEARCH RETURN (MIN MAX COUNT ALL) %s", prefix, key)
	case 1:
		return s.run("%sTHREAD %s UTF-8 %s", prefix, pick(s.rand, "REFERENCES", "ORDEREDSUBJECT"), key)
	case 2:
		return s.found(prefix, "SORT", fmt.Sprintf("SORT (%s) UTF-8 %s", pick(s.rand, "ARRIVAL", "REVERSE DATE", "SUBJECT FROM", "SIZE"), key))
	}
	return s.found(prefix, "SEARCH", "SEARCH "+key)
}

func (s *stresser) found(prefix, verb, command string) error {
	if err := s.run("%s%s", prefix, command); err != nil {
		return err
	}
	for _, line := range s.extra {
		rest, ok := strings.CutPrefix(line, verb)
		if !ok {
			continue
		}
		f, err := imap.ParseFound([]byte(strings.TrimPrefix(rest, " ")))
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		all := slices.Sorted(slices.Values(f.Numbers))
		if len(slices.Compact(all)) < len(f.Numbers) || prefix == "" && len(all) > 0 && (all[0] == 0 || int(all[len(all)-1]) > len(s.view)) {
			return fmt.Errorf("%s: %s of %d", command, line, len(s.view))
		}
	}
	return nil
}

// store changes flags. What it does silently it does not know afterwards.
func (s *stresser) store() error {
	prefix, set := s.set(8)
	silent := s.rand.IntN(3) == 0
	op := pick(s.rand, "+", "-", "") + "FLAGS"
	flag := pick(s.rand, words...)
	if !s.inRing() && s.rand.IntN(3) == 0 {
		op, flag = "+FLAGS", `\Deleted`
	}
	if silent {
		op += ".SILENT"
	}
	since := ""
	if s.condstore && s.rand.IntN(3) == 0 {
		since = fmt.Sprintf(" (UNCHANGEDSINCE %d)", s.highest+s.rand.Uint64N(20))
	}
	err := s.run("%sSTORE %s%s %s (%s)", prefix, set, since, op, flag)
	if silent { // NOTIFY may have told, when the command was on its way, of the flags before
		s.forget(prefix, set)
	}
	return err
}

// forget forgets the flags of the messages of a set.
func (s *stresser) forget(prefix, set string) {
	var first, last uint32
	if _, err := fmt.Sscanf(set, "%d:%d", &first, &last); err != nil {
		return
	}
	first, last = min(first, last), max(first, last)
	for i, m := range s.view {
		n := uint32(i) + 1
		if prefix != "" {
			n = m.uid
		}
		if n >= first && n <= last || m.uid == 0 { // which may be any
			m.known = false
		}
	}
}

// transfer copies or moves; in the ring it moves only.
func (s *stresser) transfer() error {
	prefix, set := s.set(4)
	verb := "MOVE"
	if !s.inRing() && s.rand.IntN(3) == 0 {
		verb = "COPY"
	}
	return s.run("%s%s %s %s", prefix, verb, set, pick(s.rand, s.neighbours()...))
}

func (s *stresser) remove() error {
	if s.inRing() {
		return s.run("EXPUNGE") // nothing is \Deleted here
	}
	if last := s.view[len(s.view)-1].uid; last > 0 && s.rand.IntN(2) == 0 {
		return s.run("UID EXPUNGE %d:%d", 1+s.rand.Uint32N(last), last)
	}
	return s.run("EXPUNGE")
}
