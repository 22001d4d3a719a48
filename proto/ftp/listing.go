package ftp

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// ErrListing is a line of LIST in a form that nobody knows.
var ErrListing = errors.New("ftp: no listing in a known form")

// ErrNoEntry is a line of LIST that is about the listing: a total, a headline.
var ErrNoEntry = errors.New("ftp: no entry")

// ParseList reads a line of LIST, for which there is no standard: the forms of
// Unix (also as NetWare, NetPresenz and Windows servers draw it), DOS, EPLF,
// VMS and OS/400. A time without a year is the last such one before now.
// Times are taken as UTC; only EPLF says so.
func ParseList(line string, now time.Time) (Entry, error) {
	line = strings.TrimRight(line, "\r\n")
	if line == "" || isHeadline(line) {
		return Entry{}, ErrNoEntry
	}
	for _, parse := range []func(string, time.Time) (Entry, bool){parseEPLF, parseUnix, parseDOS, parseVMS, parseOS400} {
		if e, ok := parse(line, now); ok {
			if e.Name == "" || strings.IndexByte(e.Name, 0) >= 0 {
				return Entry{}, ErrListing
			}
			return e, nil
		}
	}
	return Entry{}, ErrListing
}

func isHeadline(line string) bool {
	lower := strings.ToLower(strings.TrimSpace(line))
	switch {
	case strings.HasPrefix(lower, "total "), strings.HasPrefix(lower, "directory "):
		f := strings.Fields(lower)
		return len(f) <= 4
	}
	return false
}

// field is a word of a line and where it stands.
type field struct {
	text       string
	start, end int
}

func fields(line string) []field {
	var all []field
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		j := i
		for j < len(line) && line[j] != ' ' && line[j] != '\t' {
			j++
		}
		all = append(all, field{line[i:j], i, j})
		i = j
	}
	return all
}

// parseEPLF reads "+facts,\tname" (http://cr.yp.to/ftp/list/eplf.html).
func parseEPLF(line string, _ time.Time) (Entry, bool) {
	facts, name, ok := strings.Cut(line, "\t")
	if !ok || !strings.HasPrefix(facts, "+") {
		return Entry{}, false
	}
	e := Entry{Name: name, Size: -1}
	for fact := range strings.SplitSeq(facts[1:], ",") {
		if fact == "" {
			continue
		}
		switch rest := fact[1:]; fact[0] {
		case '/':
			e.Mode |= fs.ModeDir
		case 's':
			if n, err := strconv.ParseInt(rest, 10, 64); err == nil && n >= 0 {
				e.Size = n
			}
		case 'm':
			if n, err := strconv.ParseInt(rest, 10, 64); err == nil {
				e.Time = time.Unix(n, 0).UTC()
			}
		case 'u':
			if strings.HasPrefix(rest, "p") {
				if n, err := strconv.ParseUint(rest[1:], 8, 32); err == nil {
					e.Mode |= fs.FileMode(n) & fs.ModePerm
				}
			}
		}
	}
	return e, true
}

// parseUnix reads what ls -l draws. Between the permissions and the size stand
// no, one or more words (links, owner, group); so the date is looked for, with
// a size before it and the name behind.
func parseUnix(line string, now time.Time) (Entry, bool) {
	kind, ok := unixType(line[0])
	if !ok {
		return Entry{}, false
	}
	f := fields(line)
	if len(f) < 4 || len(f[0].text) < 10 && len(f[0].text) != 1 {
		return Entry{}, false
	}
	for i := 2; i+1 < len(f); i++ {
		size, sized := unixSize(f[i-1].text, kind)
		if !sized {
			continue
		}
		t, n, ok := listTime(f[i:], now)
		if !ok || i+n > len(f) {
			continue
		}
		end := f[i+n-1].end
		if end+1 >= len(line) {
			return Entry{}, false
		}
		e := Entry{Name: line[end+1:], Mode: kind | unixPerm(f[0].text), Size: size, Time: t}
		if kind.IsDir() {
			e.Size = -1
		}
		if f[1].text[0] == '[' { // NetWare lines its names up
			e.Name = strings.TrimLeft(e.Name, " ")
		}
		if kind == fs.ModeSymlink {
			if name, target, ok := strings.Cut(e.Name, " -> "); ok {
				e.Name, e.Target = name, target
			}
		}
		return e, true
	}
	return Entry{}, false
}

func unixType(c byte) (fs.FileMode, bool) {
	switch c {
	case '-', 'F':
		return 0, true
	case 'd':
		return fs.ModeDir, true
	case 'l':
		return fs.ModeSymlink, true
	case 'p':
		return fs.ModeNamedPipe, true
	case 's':
		return fs.ModeSocket, true
	case 'b':
		return fs.ModeDevice, true
	case 'c':
		return fs.ModeDevice | fs.ModeCharDevice, true
	}
	return 0, false
}

func unixSize(s string, kind fs.FileMode) (int64, bool) {
	if kind&fs.ModeDevice != 0 { // "8," "1": the minor number
		_, err := strconv.ParseUint(s[strings.LastIndexByte(s, ',')+1:], 10, 32)
		return -1, err == nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0
}

// unixPerm reads rwxr-xr-x behind the type.
func unixPerm(s string) fs.FileMode {
	if len(s) < 10 {
		return 0
	}
	var m fs.FileMode
	for i, c := range []byte(s[1:10]) {
		bit := fs.FileMode(1) << (8 - i)
		switch c {
		case 'r', 'w', 'x':
			m |= bit
		case 's', 't':
			m |= bit | special(i)
		case 'S', 'T':
			m |= special(i)
		case '-':
		default:
			return 0 // NetWare's [RWCEAFMS], or a guess of a server's
		}
	}
	return m
}

func special(i int) fs.FileMode {
	return map[int]fs.FileMode{2: fs.ModeSetuid, 5: fs.ModeSetgid, 8: fs.ModeSticky}[i]
}

// listTime reads the date at the beginning of f and tells how many words it
// has.
func listTime(f []field, now time.Time) (time.Time, int, bool) {
	if t, err := time.Parse(time.DateOnly, f[0].text); err == nil && len(f) > 1 { // ls --time-style=long-iso
		clock, _, _ := strings.Cut(f[1].text, ".")
		for _, form := range []string{"15:04", time.TimeOnly} {
			if c, err := time.Parse(form, clock); err == nil {
				return t.Add(c.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), 2, true
			}
		}
		return t, 1, true
	}
	if len(f) < 3 {
		return time.Time{}, 0, false
	}
	month, ok := monthOf(f[0].text)
	dayText := f[1].text
	if !ok {
		if month, ok = monthOf(f[1].text); !ok {
			return time.Time{}, 0, false
		}
		dayText = f[0].text
	}
	day, err := strconv.Atoi(strings.TrimRight(dayText, ".,"))
	if err != nil || day < 1 || day > 31 {
		return time.Time{}, 0, false
	}
	if clock, err := time.Parse("15:04", f[2].text); err == nil {
		t := time.Date(now.Year(), month, day, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
		if t.After(now.Add(24 * time.Hour)) { // clocks and time zones differ
			t = time.Date(now.Year()-1, month, day, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
		}
		return t, 3, true
	}
	year, err := strconv.Atoi(f[2].text)
	if err != nil || year < 1900 || year > 9999 {
		return time.Time{}, 0, false
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), 3, true
}

func monthOf(s string) (time.Month, bool) {
	if len(s) != 3 {
		return 0, false
	}
	t, err := time.Parse("Jan", strings.ToUpper(s[:1])+strings.ToLower(s[1:]))
	return t.Month(), err == nil
}

// parseDOS reads "01-16-02  11:14AM  <DIR>  name" of MS-DOS and IIS.
func parseDOS(line string, _ time.Time) (Entry, bool) {
	f := fields(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	stamp := strings.ReplaceAll(f[0].text, "/", "-") + " " + strings.ToUpper(f[1].text)
	next := 2
	if up := strings.ToUpper(f[2].text); up == "AM" || up == "PM" {
		stamp, next = stamp+up, 3
	}
	if len(f) < next+2 {
		return Entry{}, false
	}
	for _, form := range []string{"01-02-06 03:04PM", "01-02-2006 03:04PM", "01-02-06 15:04", "01-02-2006 15:04", "2006-01-02 15:04", "2006-01-02 03:04PM"} {
		t, err := time.Parse(form, stamp)
		if err != nil {
			continue
		}
		e := Entry{Name: strings.TrimLeft(line[f[next].end:], " "), Size: -1, Time: t}
		switch what := strings.ToUpper(f[next].text); what {
		case "<DIR>":
			e.Mode = fs.ModeDir
		case "<SYMLINK>", "<SYMLINKD>", "<JUNCTION>":
			e.Mode = fs.ModeSymlink
			if name, rest, ok := strings.Cut(e.Name, " ["); ok && strings.HasSuffix(rest, "]") {
				e.Name, e.Target = name, strings.TrimSuffix(rest, "]")
			}
		default:
			if e.Size, err = strconv.ParseInt(strings.ReplaceAll(what, ",", ""), 10, 64); err != nil || e.Size < 0 {
				return Entry{}, false
			}
		}
		return e, true
	}
	return Entry{}, false
}

// vmsBlock is the unit of sizes on VMS.
const vmsBlock = 512

// parseVMS reads "NAME.EXT;1  2/3  29-JAN-1996 10:33 [OWNER] (RWED,...)". The
// version is left out of the name, and .DIR of a directory's.
func parseVMS(line string, _ time.Time) (Entry, bool) {
	f := fields(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	name, version, ok := strings.Cut(f[0].text, ";")
	if _, err := strconv.ParseUint(version, 10, 16); !ok || err != nil {
		return Entry{}, false
	}
	used, _, _ := strings.Cut(f[1].text, "/")
	blocks, err := strconv.ParseInt(used, 10, 32)
	if err != nil || blocks < 0 {
		return Entry{}, false
	}
	date := f[2].text + " " + f[3].text
	for _, form := range []string{"2-Jan-2006 15:04", "2-Jan-2006 15:04:05", "2-Jan-2006 15:04:05.00"} {
		t, err := time.Parse(form, capital(date))
		if err != nil {
			continue
		}
		e := Entry{Name: name, Size: blocks * vmsBlock, Time: t}
		if base, ok := strings.CutSuffix(name, ".DIR"); ok {
			e.Name, e.Mode, e.Size = base, fs.ModeDir, -1
		}
		return e, true
	}
	return Entry{}, false
}

// capital writes 29-JAN-1996 as 29-Jan-1996.
func capital(s string) string {
	b := []byte(strings.ToLower(s))
	for i := 1; i < len(b); i++ {
		if b[i-1] == '-' && isLetter(b[i]) {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// parseOS400 reads "QSYS  77824 02/23/00 15:09:55 *DIR  QSYS.LIB/".
func parseOS400(line string, _ time.Time) (Entry, bool) {
	f := fields(line)
	if len(f) < 6 || !strings.HasPrefix(f[4].text, "*") {
		return Entry{}, false
	}
	size, err := strconv.ParseInt(f[1].text, 10, 64)
	if err != nil || size < 0 {
		return Entry{}, false
	}
	for _, form := range []string{"01/02/06 15:04:05", "02.01.06 15:04:05", "2006-01-02 15:04:05"} {
		t, err := time.Parse(form, f[2].text+" "+f[3].text)
		if err != nil {
			continue
		}
		e := Entry{Name: line[f[5].start:], Size: size, Time: t}
		if name, ok := strings.CutSuffix(e.Name, "/"); ok || f[4].text == "*DIR" || f[4].text == "*LIB" {
			e.Name, e.Mode, e.Size = name, fs.ModeDir, -1
		}
		return e, true
	}
	return Entry{}, false
}

// appendUnix writes a line of LIST without its end, as ls -l draws it: the one
// form that every client knows. Times are UTC.
func appendUnix(b []byte, info fs.FileInfo, name string, now time.Time) []byte {
	m := info.Mode()
	kind := byte('-')
	switch {
	case m.IsDir():
		kind = 'd'
	case m&fs.ModeSymlink != 0:
		kind = 'l'
	}
	b = append(b, kind)
	b = append(b, m.Perm().String()[1:]...)
	size := strconv.FormatInt(max(info.Size(), 0), 10)
	b = append(b, "   1 ftp      ftp      "...)
	for range 12 - len(size) {
		b = append(b, ' ')
	}
	b = append(append(b, size...), ' ')
	t := info.ModTime().UTC()
	form := "Jan _2 15:04"
	if t.Before(now.AddDate(0, -6, 0)) || t.After(now) {
		form = "Jan _2  2006"
	}
	if t.Year() < 1900 || t.Year() > 9999 {
		t, form = time.Unix(0, 0).UTC(), "Jan _2  2006"
	}
	return append(append(t.AppendFormat(b, form), ' '), name...)
}
