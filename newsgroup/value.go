package newsgroup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/farend-go/farend/store"
)

func corrupt(what string) error { return fmt.Errorf("newsgroup: %s: %w", what, store.ErrCorrupt) }

// head is what is kept of a group.
type head struct {
	low, high, count int64
	created          int64 // nanoseconds since 1970
	status           Status
	removed          bool // nobody sees it; it is kept for its high water mark
	creator          string
	description      string
}

const headFixed = 4*8 + 2

func (h *head) append(b []byte) []byte {
	for _, v := range [...]int64{h.low, h.high, h.count, h.created} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	removed := byte(0)
	if h.removed {
		removed = 1
	}
	b = append(b, byte(h.status), removed)
	b = append(append(b, h.creator...), 0)
	return append(b, h.description...)
}

func parseHead(b []byte) (h head, err error) {
	if len(b) < headFixed {
		return h, corrupt("a group")
	}
	for i, v := range [...]*int64{&h.low, &h.high, &h.count, &h.created} {
		*v = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	h.status, h.removed = Status(b[headFixed-2]), b[headFixed-1] != 0
	creator, description, ok := bytes.Cut(b[headFixed:], []byte{0})
	if !ok {
		return h, corrupt("a group")
	}
	h.creator, h.description = string(creator), string(description)
	return h, nil
}

// row is an article in a group: what reading it needs, in one value.
type row struct {
	arrived  int64 // nanoseconds since 1970
	header   int64 // octets before the empty line
	ref      store.Ref
	overview []byte // the fields behind the number, tabs between them
}

func (r *row) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(r.arrived))
	b = binary.BigEndian.AppendUint32(b, uint32(r.header))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.ref)))
	return append(append(b, r.ref...), r.overview...)
}

// parseRow aliases b.
func parseRow(b []byte) (r row, err error) {
	const fixed = 8 + 4 + 2
	if len(b) < fixed {
		return r, corrupt("an article")
	}
	r.arrived, r.header = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint32(b[8:]))
	n := int(binary.BigEndian.Uint16(b[12:]))
	if len(b) < fixed+n {
		return r, corrupt("an article")
	}
	r.ref, r.overview = store.Ref(b[fixed:fixed+n]), b[fixed+n:]
	return r, nil
}

// A Place is where an article is.
type Place struct {
	Group  string
	Number int64
}

// record is what the history has under a message identifier. Without places the
// article was here once.
type record struct {
	arrived int64 // nanoseconds since 1970
	places  []Place
}

func (r *record) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(r.arrived))
	for _, p := range r.places {
		b = append(append(b, p.Group...), 0)
		b = binary.BigEndian.AppendUint64(b, uint64(p.Number))
	}
	return b
}

func parseRecord(b []byte) (r record, err error) {
	if len(b) < 8 {
		return r, corrupt("the history")
	}
	r.arrived = int64(binary.BigEndian.Uint64(b))
	for b = b[8:]; len(b) > 0; b = b[8:] {
		group, rest, ok := bytes.Cut(b, []byte{0})
		if !ok || len(rest) < 8 {
			return r, corrupt("the history")
		}
		r.places = append(r.places, Place{string(group), int64(binary.BigEndian.Uint64(rest))})
		b = rest
	}
	return r, nil
}

func (r *record) time() time.Time { return time.Unix(0, r.arrived) }
