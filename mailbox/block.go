package mailbox

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/farend-go/farend/store"
)

// blockMax is how many entries a block takes.
const blockMax = 64

// blockHead is what stands before the entries of a block, so that most
// questions need not decode them.
type blockHead struct {
	count, unseen, deleted uint16
	first, last            UID
	modSeq                 uint64 // the highest of the entries
}

const blockHeadSize = 3*2 + 2*4 + 8

// appendHead writes the head.
func (h blockHead) append(b []byte) []byte {
	for _, n := range []uint16{h.count, h.unseen, h.deleted} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	b = binary.BigEndian.AppendUint32(b, h.first)
	b = binary.BigEndian.AppendUint32(b, h.last)
	return binary.BigEndian.AppendUint64(b, h.modSeq)
}

func parseBlockHead(b []byte) (h blockHead, err error) {
	if len(b) < blockHeadSize {
		return h, fmt.Errorf("mailbox: a block: %w", store.ErrCorrupt)
	}
	h.count = binary.BigEndian.Uint16(b)
	h.unseen = binary.BigEndian.Uint16(b[2:])
	h.deleted = binary.BigEndian.Uint16(b[4:])
	h.first = binary.BigEndian.Uint32(b[6:])
	h.last = binary.BigEndian.Uint32(b[10:])
	h.modSeq = binary.BigEndian.Uint64(b[14:])
	return h, nil
}

// add counts an entry in.
func (h *blockHead) add(e *entry) {
	if h.count == 0 {
		h.first = e.uid
	}
	h.count++
	h.last = e.uid
	h.modSeq = max(h.modSeq, e.modSeq)
	if e.flags&Seen == 0 {
		h.unseen++
	}
	if e.flags&Deleted != 0 {
		h.deleted++
	}
}

// dense tells that no UID is missing between the first and the last.
func (h *blockHead) dense() bool { return uint32(h.count) == h.last-h.first+1 }

// append writes an entry behind one with the UID before.
func (e *entry) append(b []byte, before UID) []byte {
	b = binary.AppendUvarint(b, uint64(e.uid-before))
	b = binary.AppendUvarint(b, e.modSeq)
	b = append(b, byte(e.flags))
	b = binary.AppendUvarint(b, e.keywords)
	b = binary.AppendUvarint(b, uint64(e.size))
	b = binary.AppendVarint(b, e.date)
	b = binary.AppendVarint(b, int64(e.zone))
	b = binary.AppendVarint(b, e.saved)
	return appendText(b, string(e.ref))
}

func (e *entry) parse(d *decoder, before UID) {
	e.uid = before + UID(d.uint())
	e.modSeq = d.uint()
	e.flags = Flags(d.byte())
	e.keywords = d.uint()
	e.size = int64(d.uint())
	e.date = d.int()
	e.zone = int(d.int())
	e.saved = d.int()
	e.ref = store.Ref(d.text())
}

// appendBlock writes a block.
func appendBlock(entries []entry) []byte {
	var h blockHead
	b := make([]byte, blockHeadSize, blockHeadSize+48*len(entries))
	before := UID(0)
	for i := range entries {
		h.add(&entries[i])
		b = entries[i].append(b, before)
		before = entries[i].uid
	}
	h.append(b[:0])
	return b
}

// extendBlock gives a block with one more entry, without decoding it.
func extendBlock(block []byte, e *entry) ([]byte, error) {
	h, err := parseBlockHead(block)
	if err != nil {
		return nil, err
	}
	before := h.last
	h.add(e)
	b := h.append(make([]byte, 0, len(block)+64))
	b = append(b, block[blockHeadSize:]...)
	return e.append(b, before), nil
}

// parseBlock reads the entries; it uses the memory of into.
func parseBlock(block []byte, into []entry) ([]entry, error) {
	h, err := parseBlockHead(block)
	if err != nil {
		return nil, err
	}
	d := decodeMany(block[blockHeadSize:])
	before := UID(0)
	into = slices.Grow(into[:0], min(int(h.count), blockMax))
	for range h.count {
		if d.failed {
			break
		}
		into = append(into, entry{})
		e := &into[len(into)-1]
		e.parse(&d, before)
		before = e.uid
	}
	return into, d.err("a block")
}

// uids gives the UIDs of a block, without decoding a dense one.
func blockUIDs(h blockHead, block []byte, into Set) (Set, error) {
	if h.dense() {
		return into.with(Range{h.first, h.last}), nil
	}
	entries, err := parseBlock(block, nil)
	for i := range entries {
		into = into.with(Range{entries[i].uid, entries[i].uid})
	}
	return into, err
}
