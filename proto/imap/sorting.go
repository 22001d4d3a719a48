package imap

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
)

// sorted is a message with what it is sorted by.
type sorted struct {
	uid  uint32
	keys []sortValue
}

// sortValue is one of the two.
type sortValue struct {
	text   string
	number int64
}

// sort is SORT and UID SORT (RFC 5256, RFC 5267 for RETURN).
func (s *session) sort(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseSort(c.Args)
	if err != nil {
		return Status{}, err
	}
	if !knownCharset(cmd.Charset) {
		return Status{}, errCharset
	}
	var rows []sorted
	f, err := s.look(ctx, &cmd.Key, func(m *candidate) error {
		row := sorted{uid: m.UID}
		for _, by := range cmd.By {
			v, err := m.sortValue(by.Name)
			if err != nil {
				return err
			}
			row.keys = append(row.keys, v)
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return Status{}, err
	}
	slices.SortStableFunc(rows, func(a, b sorted) int {
		for i, by := range cmd.By {
			c := cmp.Or(cmp.Compare(a.keys[i].number, b.keys[i].number), strings.Compare(a.keys[i].text, b.keys[i].text))
			if by.Reverse {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	order := make([]uint32, len(rows))
	for i, row := range rows {
		if order[i] = row.uid; !c.UID {
			order[i] = s.box.seq(row.uid)
		}
	}
	if cmd.Return == nil {
		s.response("SORT", Found{Numbers: order, ModSeq: f.modseq}.Append)
		return Status{}, nil
	}
	s.extendedSort(c, *cmd.Return, f, order)
	return Status{}, nil
}

// extendedSort answers with ESEARCH in the order of the sort (RFC 5267 section
// 3.1).
func (s *session) extendedSort(c Command, want Return, f found, order []uint32) {
	if want == (Return{}) {
		want.All = true
	}
	var all Set
	for _, n := range order {
		all = append(all, Range{n, n})
	}
	r := ESearch{Tag: c.Tag, UID: c.UID, Count: -1, ModSeq: f.modseq}
	if len(order) > 0 {
		if want.Min {
			r.Min = order[0]
		}
		if want.Max {
			r.Max = order[len(order)-1]
		}
		if want.All {
			r.All = all
		}
	}
	if want.Count {
		r.Count = int64(len(order))
	}
	if want.Page != nil {
		r.Page, r.PageSet = want.Page, want.Page.of(all)
	}
	if want.Save {
		s.saved = saves(want, f.uids)
	}
	s.response("ESEARCH", r.Append)
}

// sortValue is what a message is sorted by.
func (m *candidate) sortValue(by string) (sortValue, error) {
	switch by {
	case "ARRIVAL":
		return sortValue{number: m.InternalDate.UnixNano()}, nil
	case "SIZE":
		return sortValue{number: m.Size}, nil
	}
	e, err := m.envelope()
	if err != nil {
		return sortValue{}, err
	}
	switch by {
	case "DATE":
		return sortValue{number: sentDate(e, m.InternalDate).UnixNano()}, nil
	case "SUBJECT":
		base, _ := message.BaseSubject(e.Subject)
		return sortValue{text: strings.ToLower(base)}, nil
	}
	list := addressesFor(e, by)
	if len(list) == 0 {
		return sortValue{}, nil
	}
	first := list[0]
	text := first.Local
	switch { // RFC 5957 section 3
	case first.Group:
		text = first.Name
	case strings.HasPrefix(by, "DISPLAY") && first.Name != "":
		text = first.Name
	case strings.HasPrefix(by, "DISPLAY"):
		text = first.Spec()
	}
	return sortValue{text: strings.ToLower(text)}, nil
}

// sentDate is RFC 5256 section 2.2's: the Date, or when the message came.
func sentDate(e *message.Envelope, arrival time.Time) time.Time {
	if sent, err := message.ParseDate(e.Date); err == nil {
		return sent
	}
	return arrival
}

// thread is THREAD and UID THREAD (RFC 5256).
func (s *session) thread(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseThreadSearch(c.Args)
	if err != nil {
		return Status{}, err
	}
	if !knownCharset(cmd.Charset) {
		return Status{}, errCharset
	}
	algorithm := map[string]func([]message.Threadable) []message.Thread{
		"ORDEREDSUBJECT": message.OrderedSubject, "REFERENCES": message.References,
	}[cmd.Algorithm]
	if algorithm == nil {
		return Status{Kind: BAD, Text: "ORDEREDSUBJECT or REFERENCES"}, nil
	}
	var items []message.Threadable
	var numbers []uint32
	_, err = s.look(ctx, &cmd.Key, func(m *candidate) error {
		e, err := m.envelope()
		if err != nil {
			return err
		}
		n := m.UID
		if !c.UID {
			n = s.box.seq(n)
		}
		items, numbers = append(items, e.Threadable(m.InternalDate)), append(numbers, n)
		return nil
	})
	if err != nil {
		return Status{}, err
	}
	threads := threadsOf(algorithm(items), numbers)
	s.response("THREAD", func(b []byte) []byte { return AppendThreads(b, threads) })
	return Status{}, nil
}

// threadsOf puts numbers in the place of items.
func threadsOf(threads []message.Thread, numbers []uint32) []Thread {
	out := make([]Thread, len(threads))
	for i, t := range threads {
		if t.Item >= 0 {
			out[i].Number = numbers[t.Item]
		}
		out[i].Answers = threadsOf(t.Replies, numbers)
	}
	return out
}
