package deflate

import (
	"errors"
	"io"
)

// ErrCorrupt is input that is no deflate stream.
var ErrCorrupt = errors.New("deflate: corrupt input")

const (
	history = 32 << 10 // how far back a stream may point
	ahead   = 8 << 10  // how much is decoded before somebody reads it
	maxCopy = 258
)

// A Reader reads what a deflate stream says. It is used by one goroutine.
type Reader struct {
	src io.Reader
	err error // of the stream; not of src

	in   []byte // has come; in[pos:] is not in acc yet
	pos  int
	acc  uint64
	bits uint

	out  []byte // decoded: the history, and from read on what nobody has read
	read int

	stored int  // bytes that are left of a stored block
	coded  bool // inside a block of codes
	last   bool // the block is the last one
	lit    *huffman
	dist   *huffman
}

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Read gives at least one byte. io.EOF: the stream has said that it ends.
// Errors of the source come as they are, behind all that was decoded before,
// and if the source recovers so does the Reader.
func (d *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for d.read == len(d.out) {
		if d.err != nil {
			return 0, d.err
		}
		if d.decode() {
			continue
		}
		if err := d.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.out[d.read:])
	d.read += n
	return n, nil
}

// fill has more come from the source.
func (d *Reader) fill() error {
	if d.pos > 0 {
		d.in = d.in[:copy(d.in, d.in[d.pos:])]
		d.pos = 0
	}
	if cap(d.in)-len(d.in) < 512 {
		d.in = append(make([]byte, 0, max(2048, 2*cap(d.in))), d.in...)
	}
	n, err := d.src.Read(d.in[len(d.in):cap(d.in)])
	d.in = d.in[:len(d.in)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// decode decodes as much as has come and there is room for; false: without more
// input nothing can be done.
func (d *Reader) decode() bool {
	if over := len(d.out) - history; over > ahead-maxCopy {
		d.out = d.out[:copy(d.out, d.out[over:])]
		d.read -= over
	}
	start := len(d.out)
	for d.err == nil && len(d.out)-start < ahead-maxCopy {
		acc, bits, pos := d.acc, d.bits, d.pos
		if d.step() {
			continue
		}
		if d.err == nil { // it was cut off: again with more
			d.acc, d.bits, d.pos = acc, bits, pos
		}
		break
	}
	return len(d.out) > start || d.err != nil
}

// step decodes a symbol, a block's head, or a piece of a stored block; false:
// the input ends before.
func (d *Reader) step() bool {
	switch {
	case d.stored > 0:
		return d.copyStored()
	case d.coded:
		return d.codedStep()
	case d.last:
		d.err = io.EOF
		return true
	}
	head, ok := d.take(3)
	if !ok {
		return false
	}
	var lit, dist *huffman
	switch head >> 1 {
	case 0:
		return d.beginStored(head&1 == 1)
	case 1:
		lit, dist = fixed()
	case 2:
		if lit, dist, ok = d.dynamic(); !ok {
			return false
		}
	default:
		d.err = ErrCorrupt
		return false
	}
	d.last, d.coded, d.lit, d.dist = head&1 == 1, true, lit, dist
	return true
}

// need has n bits lie in acc, n at most 48.
func (d *Reader) need(n uint) bool {
	for d.bits < n {
		if d.pos == len(d.in) {
			return false
		}
		d.acc |= uint64(d.in[d.pos]) << d.bits
		d.pos++
		d.bits += 8
	}
	return true
}

// take takes n bits.
func (d *Reader) take(n uint) (int, bool) {
	if !d.need(n) {
		return 0, false
	}
	v := d.acc & (1<<n - 1)
	d.acc >>= n
	d.bits -= n
	return int(v), true
}

// beginStored reads the head of a stored block (RFC 1951 section 3.2.4).
func (d *Reader) beginStored(last bool) bool {
	if _, ok := d.take(d.bits % 8); !ok {
		return false
	}
	n, ok := d.take(16)
	if !ok {
		return false
	}
	not, ok := d.take(16)
	if !ok {
		return false
	}
	if n^not != 0xffff {
		d.err = ErrCorrupt
		return false
	}
	d.stored, d.last = n, last
	return true
}

func (d *Reader) copyStored() bool {
	before := d.stored
	for d.stored > 0 && d.bits > 0 { // whole bytes lie in acc
		v, _ := d.take(8)
		d.out = append(d.out, byte(v))
		d.stored--
	}
	n := min(d.stored, len(d.in)-d.pos, maxCopy)
	d.out = append(d.out, d.in[d.pos:d.pos+n]...)
	d.pos += n
	d.stored -= n
	return d.stored < before
}

// symbol decodes one symbol of a code.
func (d *Reader) symbol(h *huffman) (int, bool) {
	d.need(longest) // or as many as there are
	if e := h.fast[d.acc&(1<<fastBits-1)]; e != 0 && uint(e&15) <= d.bits {
		d.acc >>= e & 15
		d.bits -= uint(e & 15)
		return int(e >> 4), true
	}
	code, first, index := 0, 0, 0
	for l := uint(1); l <= longest; l++ {
		if l > d.bits {
			return 0, false
		}
		code |= int(d.acc >> (l - 1) & 1)
		n := int(h.count[l])
		if code-first < n {
			d.acc >>= l
			d.bits -= l
			return int(h.symbol[index+code-first]), true
		}
		index += n
		first = (first + n) << 1
		code <<= 1
	}
	d.err = ErrCorrupt
	return 0, false
}

// Lengths and distances (RFC 1951 section 3.2.5).
var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distBits   = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// codedStep decodes a literal, a copy, or the end of the block.
func (d *Reader) codedStep() bool {
	s, ok := d.symbol(d.lit)
	switch {
	case !ok:
		return false
	case s < 256:
		d.out = append(d.out, byte(s))
		return true
	case s == 256:
		d.coded, d.lit, d.dist = false, nil, nil
		return true
	case s-257 >= len(lengthBase):
		d.err = ErrCorrupt
		return false
	}
	extra, ok := d.take(uint(lengthBits[s-257]))
	if !ok {
		return false
	}
	length := int(lengthBase[s-257]) + extra
	if s, ok = d.symbol(d.dist); !ok {
		return false
	}
	if s >= len(distBase) {
		d.err = ErrCorrupt
		return false
	}
	if extra, ok = d.take(uint(distBits[s])); !ok {
		return false
	}
	from := len(d.out) - int(distBase[s]) - extra
	if from < 0 {
		d.err = ErrCorrupt
		return false
	}
	for range length { // it may reach into what it writes
		d.out = append(d.out, d.out[from])
		from++
	}
	return true
}

// order is that in which the lengths of the code of lengths come.
var order = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes of a block (RFC 1951 section 3.2.7).
func (d *Reader) dynamic() (lit, dist *huffman, ok bool) {
	head, ok := d.take(14)
	if !ok {
		return nil, nil, false
	}
	nlit, ndist, ncode := head&31+257, head>>5&31+1, head>>10+4
	if nlit > 286 || ndist > 30 {
		d.err = ErrCorrupt
		return nil, nil, false
	}
	var lengths [286 + 30]uint8
	for _, s := range order[:ncode] {
		n, ok := d.take(3)
		if !ok {
			return nil, nil, false
		}
		lengths[s] = uint8(n)
	}
	var code huffman
	if !code.build(lengths[:len(order)]) {
		d.err = ErrCorrupt
		return nil, nil, false
	}
	lengths = [286 + 30]uint8{}
	if !d.lengths(&code, lengths[:nlit+ndist]) {
		return nil, nil, false
	}
	lit, dist = new(huffman), new(huffman)
	if lengths[256] == 0 || !lit.build(lengths[:nlit]) || !dist.build(lengths[nlit:nlit+ndist]) {
		d.err = ErrCorrupt
		return nil, nil, false
	}
	return lit, dist, true
}

// lengths reads the lengths of the codes, which may repeat.
func (d *Reader) lengths(code *huffman, lengths []uint8) bool {
	for i := 0; i < len(lengths); {
		s, ok := d.symbol(code)
		if !ok {
			return false
		}
		if s < 16 {
			lengths[i] = uint8(s)
			i++
			continue
		}
		repeat := [...]struct {
			base int
			bits uint
		}{{3, 2}, {3, 3}, {11, 7}}[s-16]
		n, ok := d.take(repeat.bits)
		if !ok {
			return false
		}
		n += repeat.base
		if i+n > len(lengths) || s == 16 && i == 0 {
			d.err = ErrCorrupt
			return false
		}
		for range n {
			if s == 16 {
				lengths[i] = lengths[i-1]
			}
			i++
		}
	}
	return true
}

// fixed are the codes of RFC 1951 section 3.2.6.
func fixed() (lit, dist *huffman) {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	lit, dist = new(huffman), new(huffman)
	lit.build(lengths[:])
	for i := range lengths[:30] {
		lengths[i] = 5
	}
	dist.build(append(lengths[:30:30], 5, 5)) // the last two stand for nothing
	return lit, dist
}
