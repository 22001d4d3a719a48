package newsgroup

import (
	"encoding/binary"
	"strings"
	"time"
)

// Keys. Numbers are big-endian, so that they are in order; no group's name has
// a NUL.
//
//	n g name               a group: head
//	n o name NUL number    an article in a group: row
//	n i message-id         where an article is, or that it was: record
//	n t arrived message-id the history by time
const (
	kindGroup   = "ng"
	kindRow     = "no"
	kindRecord  = "ni"
	kindArrived = "nt"
)

func keyGroup(name string) []byte { return append([]byte(kindGroup), name...) }

func keyRows(group string) []byte { return append(append([]byte(kindRow), group...), 0) }

func keyRow(group string, number int64) []byte {
	return binary.BigEndian.AppendUint64(keyRows(group), uint64(number))
}

func keyRecord(id string) []byte { return append([]byte(kindRecord), id...) }

func keyTime(t time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte(kindArrived), uint64(max(t.UnixNano(), 0)))
}

func keyArrived(t time.Time, id string) []byte { return append(keyTime(t), id...) }

// numberOf is the number in a row's key.
func numberOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-8:])) }

// after is the first key behind those that begin with prefix.
func after(prefix string) []byte {
	end := []byte(prefix)
	end[len(end)-1]++
	return end
}

// rowsEnd is the first key behind the rows of a group.
func rowsEnd(group string) []byte { return append(append([]byte(kindRow), group...), 1) }

// timeOf takes a key of the history apart.
func timeOf(key []byte) (arrived time.Time, id string) {
	rest := key[len(kindArrived):]
	return time.Unix(0, int64(binary.BigEndian.Uint64(rest))), string(rest[8:])
}

// maxName is how long a group's name may be, so that a command with it is no
// longer than a line of RFC 3977 (section 3.1).
const maxName = 460

// clean makes a text one field of a line: of the white space that would end it
// every octet becomes a blank (RFC 3977 section 8.3.2).
func clean(s string) string {
	if !strings.ContainsAny(s, "\t\r\n\x00") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\t\r\n\x00", r) {
			return ' '
		}
		return r
	}, s)
}
