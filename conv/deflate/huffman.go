package deflate

// fastBits is how many bits the table looks at; longer codes go the slow way.
const fastBits = 9

// longest is the longest code there is.
const longest = 15

// huffman is a canonical code (RFC 1951 section 3.2.2).
type huffman struct {
	fast   [1 << fastBits]uint16 // symbol<<4 | length; 0: longer, or no code
	count  [longest + 1]uint16   // how many codes there are of each length
	symbol [288]uint16           // in the order of their codes
}

// build makes the code of the lengths that symbols have; false: there is no
// such code. One that leaves bits unused is allowed for a single symbol.
func (h *huffman) build(lengths []uint8) bool {
	*h = huffman{}
	for _, l := range lengths {
		h.count[l]++
	}
	h.count[0] = 0
	left, used := 1, 0
	var next, first [longest + 2]uint16 // places in symbol, and codes
	for l := 1; l <= longest; l++ {
		left = left<<1 - int(h.count[l])
		if left < 0 {
			return false
		}
		used += int(h.count[l])
		next[l+1] = next[l] + h.count[l]
		first[l+1] = (first[l] + h.count[l]) << 1
	}
	if left > 0 && (used > 1 || used == 1 && h.count[1] != 1) {
		return false
	}
	for s, l := range lengths {
		if l == 0 {
			continue
		}
		h.symbol[next[l]] = uint16(s)
		next[l]++
		if l <= fastBits {
			for i := reverse(first[l], l); i < 1<<fastBits; i += 1 << l {
				h.fast[i] = uint16(s)<<4 | uint16(l)
			}
		}
		first[l]++
	}
	return true
}

// reverse turns the lowest n bits of a code round: they come highest first.
func reverse(code uint16, n uint8) (r uint16) {
	for range n {
		r = r<<1 | code&1
		code >>= 1
	}
	return r
}
