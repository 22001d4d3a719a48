package transfer

import "slices"

// An extent is the bytes from the first number to before the second.
type extent [2]int64

func (e extent) size() int64 { return e[1] - e[0] }

// A cover is the extents of a file that are here, in their order; they neither
// touch nor overlap. nil is none that anybody has counted.
type cover []extent

// valid tells whether what was read from a note is a cover of a file of so many
// bytes.
func (c cover) valid(size int64) bool {
	end := int64(-1)
	for _, e := range c {
		if e[0] <= end || e[1] <= e[0] || e[1] > size {
			return false
		}
		end = e[1]
	}
	return true
}

// add is the cover with one extent more.
func (c cover) add(e extent) cover {
	if e.size() <= 0 {
		return c
	}
	i, _ := slices.BinarySearchFunc(c, e[0], func(x extent, at int64) int {
		if x[1] < at {
			return -1
		}
		return 1
	})
	j := i
	for j < len(c) && c[j][0] <= e[1] {
		e[0], e[1] = min(e[0], c[j][0]), max(e[1], c[j][1])
		j++
	}
	return slices.Replace(c, i, j, e)
}

// cut is the part of the cover below a size.
func (c cover) cut(size int64) cover {
	out := cover{}
	for _, e := range c {
		if e[1] = min(e[1], size); e.size() > 0 {
			out = append(out, e)
		}
	}
	return out
}

// begin is how many bytes there are from the first one on.
func (c cover) begin() int64 {
	if len(c) > 0 && c[0][0] == 0 {
		return c[0][1]
	}
	return 0
}

// size is how many bytes there are.
func (c cover) size() (n int64) {
	for _, e := range c {
		n += e.size()
	}
	return n
}

// holes are what is missing of a file of so many bytes.
func (c cover) holes(size int64) []extent {
	var out []extent
	at := int64(0)
	for _, e := range append(slices.Clone(c), extent{size, size}) {
		if e[0] > at {
			out = append(out, extent{at, e[0]})
		}
		at = e[1]
	}
	return out
}
