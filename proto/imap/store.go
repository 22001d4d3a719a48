package imap

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Store is the arguments of STORE and UID STORE.
type Store struct {
	Where Where
	// UnchangedSince has only messages change that did not change after it
	// (RFC 7162); nil: all.
	UnchangedSince *uint64
	Op             Op
	Silent         bool // the client does not want to be told
	Flags          []Flag
}

// Op is what is done with flags.
type Op byte

// What STORE does.
const (
	Replace Op = 0
	Add     Op = '+'
	Remove  Op = '-'
)

// Append writes the arguments.
func (s Store) Append(b []byte) []byte {
	b = append(s.Where.Append(b), ' ')
	if s.UnchangedSince != nil {
		b = strconv.AppendUint(append(b, "(UNCHANGEDSINCE "...), *s.UnchangedSince, 10)
		b = append(b, ") "...)
	}
	if s.Op != Replace {
		b = append(b, byte(s.Op))
	}
	b = append(b, "FLAGS"...)
	if s.Silent {
		b = append(b, ".SILENT"...)
	}
	return AppendFlags(append(b, ' '), s.Flags)
}

// ParseStore reads the arguments. The error is ErrSyntax.
func ParseStore(args []byte, uid bool) (Store, error) {
	l := token.New(args)
	s := Store{Where: lexWhere(l, uid)}
	l.SP()
	if l.Peek() == '(' {
		l.List(func() {
			if l.Name() != "UNCHANGEDSINCE" || s.UnchangedSince != nil {
				l.Fail("UNCHANGEDSINCE")
			}
			l.SP()
			n := uint64(l.Number64())
			s.UnchangedSince = &n
		})
		l.SP()
	}
	name := l.Name()
	if name != "" && (name[0] == '+' || name[0] == '-') {
		s.Op, name = Op(name[0]), name[1:]
	}
	name, s.Silent = strings.CutSuffix(name, ".SILENT")
	if name != "FLAGS" {
		l.Fail("FLAGS")
	}
	l.SP()
	if l.Peek() == '(' {
		s.Flags = lexFlags(l)
	} else {
		s.Flags = []Flag{Flag(l.Flag()).Canonical()}
		for l.Take(' ') {
			s.Flags = append(s.Flags, Flag(l.Flag()).Canonical())
		}
	}
	return s, l.End()
}
