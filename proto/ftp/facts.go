package ftp

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// An Entry is one file as a listing tells of it.
type Entry struct {
	Name   string
	Mode   fs.FileMode       // type and, where the listing has them, permissions
	Size   int64             // bytes; -1: unknown
	Time   time.Time         // of the last change, UTC; zero: unknown
	Target string            // of a symbolic link, if told
	Facts  map[string]string // of MLSx, names in lower case; nil elsewhere
}

// IsDir tells whether it is a directory.
func (e Entry) IsDir() bool { return e.Mode.IsDir() }

// Info is the entry as an fs.FileInfo; Sys gives the Entry.
func (e Entry) Info() fs.FileInfo { return entryInfo{e} }

type entryInfo struct{ e Entry }

func (i entryInfo) Name() string       { return i.e.Name }
func (i entryInfo) Size() int64        { return max(i.e.Size, 0) }
func (i entryInfo) Mode() fs.FileMode  { return i.e.Mode }
func (i entryInfo) ModTime() time.Time { return i.e.Time }
func (i entryInfo) IsDir() bool        { return i.e.IsDir() }
func (i entryInfo) Sys() any           { return i.e }

// timeForm is RFC 3659's time (section 2.3), UTC.
const timeForm = "20060102150405"

// parseTime reads YYYYMMDDHHMMSS with or without a fraction.
func parseTime(s string) (time.Time, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) == 15 && strings.HasPrefix(whole, "191") { // "19100": a server's own year 2000
		whole = "20" + whole[3:]
	}
	t, err := time.Parse(timeForm, whole)
	if err != nil || fraction == "" {
		return t, err
	}
	if len(fraction) > 9 {
		fraction = fraction[:9]
	}
	n, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil {
		return time.Time{}, err
	}
	for range 9 - len(fraction) {
		n *= 10
	}
	return t.Add(time.Duration(n)), nil
}

// ParseFacts reads a line of MLSD or MLST (RFC 3659 section 7): facts, one
// blank, the name. Unknown facts are kept. ErrListing: it is none.
func ParseFacts(line string) (Entry, error) {
	facts, name, ok := strings.Cut(line, " ")
	if !ok || name == "" || facts != "" && !strings.HasSuffix(facts, ";") {
		return Entry{}, ErrListing
	}
	e := Entry{Name: name, Size: -1, Facts: map[string]string{}}
	for fact := range strings.SplitSeq(strings.TrimSuffix(facts, ";"), ";") {
		if fact == "" {
			continue
		}
		key, value, ok := strings.Cut(fact, "=")
		if !ok || key == "" {
			return Entry{}, ErrListing
		}
		e.fact(strings.ToLower(key), value)
	}
	return e, nil
}

// fact takes note of a fact; one with a senseless value is kept as it stands.
func (e *Entry) fact(key, value string) {
	e.Facts[key] = value
	switch key {
	case "type":
		e.Mode |= factType(value)
		if before, target, ok := strings.Cut(value, ":"); ok && strings.EqualFold(before, "os.unix=slink") {
			e.Target = target
		}
	case "size", "sizd":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
			e.Size = n
		}
	case "modify":
		if t, err := parseTime(value); err == nil {
			e.Time = t
		}
	case "unix.mode":
		if n, err := strconv.ParseUint(value, 8, 32); err == nil {
			e.Mode |= fs.FileMode(n) & fs.ModePerm
		}
	}
}

func factType(value string) fs.FileMode {
	switch v := strings.ToLower(value); {
	case v == "dir", v == "cdir", v == "pdir":
		return fs.ModeDir
	case strings.HasPrefix(v, "os.unix=slink"), strings.HasPrefix(v, "os.unix=symlink"):
		return fs.ModeSymlink
	case v == "file":
		return 0
	}
	return fs.ModeIrregular
}

// isSelf tells cdir and pdir, which are no entries of the directory.
func (e Entry) isSelf() bool {
	t := e.Facts["type"]
	return strings.EqualFold(t, "cdir") || strings.EqualFold(t, "pdir") || e.Name == "." || e.Name == ".."
}

// factNames are the facts that the server tells, in their order.
var factNames = [...]string{"Type", "Size", "Modify", "Perm", "UNIX.mode"}

// factSet is which of them are wanted.
type factSet uint8

const allFacts factSet = 1<<len(factNames) - 1

// parseFactSet reads the argument of OPTS MLST (RFC 3659 section 7.9); unknown
// facts are left out.
func parseFactSet(arg string) factSet {
	var s factSet
	for name := range strings.SplitSeq(arg, ";") {
		for i, known := range factNames {
			if strings.EqualFold(name, known) {
				s |= 1 << i
			}
		}
	}
	return s
}

// String lists the facts, each with a semicolon.
func (s factSet) String() string {
	var b strings.Builder
	for i, name := range factNames {
		if s&(1<<i) != 0 {
			b.WriteString(name + ";")
		}
	}
	return b.String()
}

// feature is the line of FEAT: all facts, a star behind those that are told.
func (s factSet) feature() string {
	var b strings.Builder
	for i, name := range factNames {
		b.WriteString(name)
		if s&(1<<i) != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// appendFacts writes a line of MLSx without its end. kind is the type fact.
func (s factSet) appendFacts(b []byte, info fs.FileInfo, kind, perm, name string) []byte {
	for i, fact := range factNames {
		if s&(1<<i) == 0 {
			continue
		}
		var value []byte
		switch fact {
		case "Type":
			value = append(value, kind...)
		case "Size":
			if info.Mode().IsRegular() {
				value = strconv.AppendInt(value, info.Size(), 10)
			}
		case "Modify":
			if !info.ModTime().IsZero() {
				value = info.ModTime().UTC().AppendFormat(value, timeForm)
			}
		case "Perm":
			value = append(value, perm...)
		case "UNIX.mode":
			value = append(value, '0')
			value = strconv.AppendUint(value, uint64(info.Mode().Perm()), 8)
		}
		if len(value) > 0 || fact == "Perm" {
			b = append(append(append(append(b, fact...), '='), value...), ';')
		}
	}
	return append(append(b, ' '), name...)
}
