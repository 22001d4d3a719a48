package mailbox

import (
	"encoding/binary"
	"fmt"

	"github.com/farend-go/farend/store"
)

// decoder reads what append functions wrote. Its first failure stays, and
// then it gives zeros.
type decoder struct {
	b      []byte
	failed bool
	copied string // b as it was at the start, for many texts to share; "": each is a copy of its own
}

// decodeMany is for what has many texts.
func decodeMany(b []byte) decoder { return decoder{b: b, copied: string(b)} }

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) text() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return ""
	}
	text := d.b[:n]
	d.b = d.b[n:]
	if d.copied == "" {
		return string(text)
	}
	end := len(d.copied) - len(d.b)
	return d.copied[end-len(text) : end]
}

// count reads the number of things that follow, each of at least one byte.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) fail() { d.b, d.failed = nil, true }

// err is ErrCorrupt after a failure.
func (d *decoder) err(what string) error {
	if d.failed {
		return fmt.Errorf("mailbox: %s: %w", what, store.ErrCorrupt)
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
