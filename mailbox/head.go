package mailbox

import (
	"encoding/binary"
	"slices"
	"strings"
)

// head is what a mailbox is beside its entries; it changes in the same Update
// as they do.
type head struct {
	uidValidity uint32
	uidNext     UID
	modSeq      uint64
	messages    uint32
	unseen      uint32
	deleted     uint32
	size        int64
	deletedSize int64
	keywords    []string
	// goneSince is from which modification sequence on (it not included) every
	// removal is known by its UIDs; goneRows is how many rows there are.
	goneSince uint64
	goneRows  uint64
	// recent are the blocks that changed last, in that order. All that changed
	// after recentSince are there.
	recent      []touch
	recentSince uint64

	masks map[uint64][]string // made by words
}

// touch is a block that changed.
type touch struct {
	modSeq uint64
	block  UID
}

const (
	maxRecent = 48
	// maxGone is how many removals are remembered. Older ones are told of as
	// all UIDs that are not there.
	maxGone = 2000
)

func (h *head) append(b []byte) []byte {
	b = slices.Grow(b, 64+8*len(h.recent))
	for _, v := range []uint64{
		uint64(h.uidValidity), uint64(h.uidNext), h.modSeq, uint64(h.messages), uint64(h.unseen), uint64(h.deleted),
		uint64(h.size), uint64(h.deletedSize), h.goneSince, h.goneRows, h.recentSince, uint64(len(h.recent)),
	} {
		b = binary.AppendUvarint(b, v)
	}
	last := h.modSeq
	for _, t := range h.recent {
		b = binary.AppendUvarint(binary.AppendUvarint(b, last-t.modSeq), uint64(t.block))
	}
	b = binary.AppendUvarint(b, uint64(len(h.keywords)))
	for _, k := range h.keywords {
		b = appendText(b, k)
	}
	return b
}

func parseHead(b []byte) (head, error) {
	d := decoder{b: b}
	h := head{
		uidValidity: uint32(d.uint()), uidNext: UID(d.uint()), modSeq: d.uint(),
		messages: uint32(d.uint()), unseen: uint32(d.uint()), deleted: uint32(d.uint()),
		size: int64(d.uint()), deletedSize: int64(d.uint()),
		goneSince: d.uint(), goneRows: d.uint(), recentSince: d.uint(),
	}
	if n := d.count(); n > 0 {
		h.recent = make([]touch, n, n+1)
		for i := range h.recent {
			h.recent[i] = touch{h.modSeq - d.uint(), UID(d.uint())}
		}
	}
	if n := d.count(); n > 0 {
		h.keywords = make([]string, n)
		for i := range h.keywords {
			h.keywords[i] = d.text()
		}
	}
	return h, d.err("the head of a mailbox")
}

// count counts an entry in (n is 1) or out (-1).
func (h *head) count(e *entry, n int) {
	h.messages += uint32(n)
	h.size += int64(n) * e.size
	if e.flags&Seen == 0 {
		h.unseen += uint32(n)
	}
	if e.flags&Deleted != 0 {
		h.deleted += uint32(n)
		h.deletedSize += int64(n) * e.size
	}
}

// note remembers that a block changed: of each block the latest change.
func (h *head) note(block UID) {
	h.recent = slices.DeleteFunc(h.recent, func(t touch) bool { return t.block == block })
	h.recent = append(h.recent, touch{h.modSeq, block})
	if len(h.recent) > maxRecent {
		h.recentSince = h.recent[0].modSeq
		h.recent = h.recent[1:]
	}
}

// word finds a keyword's bit, whatever its case.
func (h *head) word(k string) (bit uint64, ok bool) {
	for i, have := range h.keywords {
		if strings.EqualFold(have, k) {
			return 1 << i, true
		}
	}
	return 0, false
}

// bits turns keywords into bits, and gives new ones a number.
func (h *head) bits(keywords []string) (uint64, error) {
	var bits uint64
	for _, k := range keywords {
		bit, ok := h.word(k)
		if !ok {
			if len(h.keywords) == maxKeywords {
				return 0, ErrKeywords
			}
			bit = 1 << len(h.keywords)
			h.keywords = append(h.keywords, k)
		}
		bits |= bit
	}
	return bits, nil
}

// words turns bits into keywords. Messages with the same share the slice.
func (h *head) words(bits uint64) []string {
	if bits == 0 {
		return nil
	}
	if words, ok := h.masks[bits]; ok {
		return words
	}
	var words []string
	for i, k := range h.keywords {
		if bits&(1<<i) != 0 {
			words = append(words, k)
		}
	}
	if h.masks == nil {
		h.masks = map[uint64][]string{}
	}
	h.masks[bits] = words
	return words
}
