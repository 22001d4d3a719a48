package ftp

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"
)

// errEntries is a listing over its limit.
var errEntries = errors.New("ftp: too many entries")

// listing is one LIST, NLST or MLSD: what a job needs for it.
type listing struct {
	files   Files
	encode  func(string) string
	line    func(b []byte, info fs.FileInfo, name string) []byte
	all     bool // names with a dot before them too (-a)
	below   bool // directories below too (-R)
	depth   int
	entries int // how many more lines there may be
	out     *bufio.Writer
	buf     []byte
}

// options takes the flags of ls off an argument; unknown ones are ignored. The
// rest is a name, whatever blanks are in it.
func listOptions(arg string) (flags, rest string) {
	for strings.HasPrefix(arg, "-") {
		word, more, _ := strings.Cut(arg, " ")
		flags += word[1:]
		arg = strings.TrimLeft(more, " ")
	}
	return flags, arg
}

// list draws lines as ls -l does (RFC 959 section 4.1.3).
func (s *session) list(ctx context.Context, arg string) error {
	flags, arg := listOptions(arg)
	now := time.Now()
	return s.sendListing(ctx, "LIST", flags, arg, func(b []byte, info fs.FileInfo, name string) []byte {
		return appendUnix(b, info, name, now)
	})
}

// nlst sends names only, such as RETR takes.
func (s *session) nlst(ctx context.Context, arg string) error {
	flags, arg := listOptions(arg)
	draw := func(b []byte, _ fs.FileInfo, name string) []byte { return append(b, name...) }
	if strings.Contains(flags, "l") {
		return s.list(ctx, "-"+flags+" "+arg)
	}
	return s.sendListing(ctx, "NLST", flags, arg, draw)
}

func (s *session) newListing(flags string, line func([]byte, fs.FileInfo, string) []byte) *listing {
	encode := func(name string) string { return name }
	if names := s.h.Names; !s.utf8 && names.Encode != nil {
		encode = func(name string) string {
			if wire, err := names.Encode(name); err == nil {
				return wire
			}
			return name
		}
	}
	return &listing{
		files: s.files, encode: encode, line: line,
		all: strings.ContainsAny(flags, "aA"), below: strings.Contains(flags, "R"),
		depth: s.limits.Depth, entries: s.limits.Entries,
	}
}

// target is what a listing is about: one name, or those that a pattern fits.
type target struct {
	name string // absolute
	told string // as the lines call it, for what is no directory
	info fs.FileInfo
}

func (s *session) sendListing(ctx context.Context, verb, flags, arg string, line func([]byte, fs.FileInfo, string) []byte) error {
	targets, err := s.targets(arg)
	if err != nil {
		s.refuse(err)
		return nil
	}
	l := s.newListing(flags, line)
	return s.transfer(ctx, 150, "Here comes the listing", strings.TrimSpace(verb+" "+arg), func() {}, func(ctx context.Context, j *job, c *dataConn) error {
		l.out = bufio.NewWriterSize(&counting{c, j}, 16<<10)
		if err := l.write(ctx, targets); err != nil {
			return errors.Join(err, l.out.Flush())
		}
		return l.out.Flush()
	})
}

// counting keeps a job's count and a connection's deadline.
type counting struct {
	c *dataConn
	j *job
}

func (w *counting) Write(p []byte) (int, error) {
	w.c.progress()
	n, err := w.c.Write(p)
	w.j.moved.Add(int64(n))
	return n, err
}

// targets finds what arg names: as it stands, or as a pattern.
func (s *session) targets(arg string) ([]target, error) {
	decoded, err := s.decode(arg)
	if err != nil {
		return nil, fs.ErrInvalid
	}
	name := s.cwd
	if arg != "" {
		name = decoded
		if !strings.HasPrefix(name, "/") {
			name = s.cwd + "/" + name
		}
		name = path.Clean(name)
	}
	info, err := s.files.Stat(rooted(name))
	if err == nil {
		return []target{{name, decoded, info}}, nil
	}
	if !strings.ContainsAny(decoded, "*?[") || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		return nil, err
	}
	return s.glob(decoded, err)
}

// glob finds what a pattern fits, element by element; no match is the error of
// the name itself.
func (s *session) glob(pattern string, missing error) ([]target, error) {
	budget := s.limits.Entries
	found := []target{{name: s.cwd}}
	if strings.HasPrefix(pattern, "/") {
		found[0].name = "/"
		found[0].told = "/"
	}
	for element := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []target
		for _, t := range found {
			if !strings.ContainsAny(element, "*?[") {
				next = s.step(next, t, element)
				continue
			}
			entries, err := s.files.ReadDir(rooted(t.name))
			if err != nil {
				continue
			}
			if budget -= len(entries); budget < 0 {
				return nil, Reply{550, []string{"Too many names"}}
			}
			for _, e := range entries {
				if fits, err := path.Match(element, e.Name()); err != nil {
					return nil, fs.ErrInvalid
				} else if fits && (e.Name()[0] != '.' || element[0] == '.') {
					next = s.step(next, t, e.Name())
				}
			}
		}
		found = next
	}
	if len(found) == 0 {
		return nil, missing
	}
	return found, nil
}

// step goes on from t to one element, if it exists.
func (s *session) step(to []target, t target, element string) []target {
	name := path.Join(t.name, element)
	info, err := s.files.Stat(rooted(name))
	if err != nil {
		return to
	}
	return append(to, target{name, path.Join(t.told, element), info})
}

// write draws the targets: files first, as ls does, then directories.
func (l *listing) write(ctx context.Context, targets []target) error {
	var dirs []target
	for _, t := range targets {
		if t.info.IsDir() {
			dirs = append(dirs, t)
			continue
		}
		if err := l.entry(t.info, t.told); err != nil {
			return err
		}
	}
	for i, t := range dirs {
		if len(targets) > 1 {
			if err := l.headline(t.told, i > 0 || len(dirs) < len(targets)); err != nil {
				return err
			}
		}
		told := t.told
		if told == "" {
			told = "."
		}
		if err := l.dir(ctx, t.name, told, 0); err != nil {
			return err
		}
	}
	return nil
}

// headline names a directory of several.
func (l *listing) headline(told string, gap bool) error {
	l.buf = l.buf[:0]
	if gap {
		l.buf = append(l.buf, '\r', '\n')
	}
	l.buf = append(append(l.buf, sanitized(l.encode(told))...), ":\r\n"...)
	_, err := l.out.Write(l.buf)
	return err
}

// dir draws one directory, and those below.
func (l *listing) dir(ctx context.Context, name, told string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := l.files.ReadDir(rooted(name))
	if err != nil && depth == 0 {
		return &fileError{err}
	}
	var below []string
	for _, e := range entries {
		if !l.all && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil { // it has gone meanwhile
			continue
		}
		if err := l.entry(info, e.Name()); err != nil {
			return err
		}
		if l.below && info.IsDir() && depth < l.depth {
			below = append(below, e.Name())
		}
	}
	for _, sub := range below {
		if err := l.headline(told+"/"+sub, true); err != nil {
			return err
		}
		if err := l.dir(ctx, path.Join(name, sub), told+"/"+sub, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// entry draws a line.
func (l *listing) entry(info fs.FileInfo, name string) error {
	if l.entries--; l.entries < 0 {
		return errEntries
	}
	l.buf = append(l.line(l.buf[:0], info, sanitized(l.encode(name))), '\r', '\n')
	_, err := l.out.Write(l.buf)
	return err
}

// sanitized keeps a name with a line break in it from forging an entry.
func sanitized(name string) string {
	if !strings.ContainsAny(name, "\r\n") {
		return name
	}
	return strings.NewReplacer("\r", "?", "\n", "?").Replace(name)
}

// maxStat is how many lines STAT sends over the control connection.
const maxStat = 1000

// statFiles is LIST over the control connection.
func (s *session) statFiles(ctx context.Context, arg string) error {
	flags, arg := listOptions(arg)
	targets, err := s.targets(arg)
	if err != nil {
		s.refuse(err)
		return nil
	}
	now := time.Now()
	var text strings.Builder
	l := s.newListing(flags, func(b []byte, info fs.FileInfo, name string) []byte { return appendUnix(b, info, name, now) })
	l.entries = min(l.entries, maxStat)
	l.out = bufio.NewWriter(&text)
	if err := l.write(ctx, targets); errors.Is(err, errEntries) {
		s.reply(450, "Listing is too long for STAT; use LIST")
		return nil
	} else if err != nil {
		s.refuse(err)
		return nil
	}
	_ = l.out.Flush() // into memory
	lines := []string{"Status of " + arg + ":"}
	for line := range strings.SplitSeq(strings.TrimSuffix(text.String(), "\r\n"), "\r\n") {
		if line != "" {
			lines = append(lines, " "+line)
		}
	}
	s.reply(213, append(lines, "End")...)
	return nil
}

// about looks at the file that a command is about, or at the directory where we
// are; where ok is false the client has been told.
func (s *session) about(arg string) (name string, info fs.FileInfo, ok bool) {
	name = s.cwd
	if arg != "" {
		if name, ok = s.absolute(arg); !ok {
			return "", nil, false
		}
	}
	info, err := s.files.Stat(rooted(name))
	if err != nil {
		s.refuse(err)
		return "", nil, false
	}
	return name, info, true
}

// mlst tells the facts of one name on the control connection (RFC 3659 section
// 7.2).
func (s *session) mlst(_ context.Context, arg string) error {
	name, info, ok := s.about(arg)
	if !ok {
		return nil
	}
	line := s.facts.appendFacts([]byte(" "), info, kindOf(info), s.perm()(info), s.encode(name))
	s.reply(250, "Begin", string(line), "End")
	return nil
}

// mlsd tells the facts of everything in a directory (RFC 3659 section 7.2).
func (s *session) mlsd(ctx context.Context, arg string) error {
	name, info, ok := s.about(arg)
	if !ok {
		return nil
	}
	if !info.IsDir() {
		s.reply(501, "It is no directory")
		return nil
	}
	facts, perm, self := s.facts, s.perm(), info
	l := s.newListing("a", func(b []byte, info fs.FileInfo, name string) []byte {
		return facts.appendFacts(b, info, kindOf(info), perm(info), name)
	})
	return s.transfer(ctx, 150, "Here come the facts", "MLSD "+arg, func() {}, func(ctx context.Context, j *job, c *dataConn) error {
		l.out = bufio.NewWriterSize(&counting{c, j}, 16<<10)
		line := facts.appendFacts(nil, self, "cdir", perm(self), ".")
		if _, err := l.out.Write(append(line, '\r', '\n')); err != nil {
			return err
		}
		if err := l.dir(ctx, name, "", 0); err != nil {
			return errors.Join(err, l.out.Flush())
		}
		return l.out.Flush()
	})
}

// kindOf is the type fact (RFC 3659 section 7.5.1).
func kindOf(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "dir"
	case info.Mode().IsRegular():
		return "file"
	}
	return "OS.unix=special"
}

// perm tells what may be done with a file or directory (RFC 3659 section
// 7.5.5), as far as the backend's powers go.
func (s *session) perm() func(info fs.FileInfo) string {
	letters := func(dir bool) string {
		var b strings.Builder
		add := func(ok bool, forDir, forFile string) {
			if ok && dir {
				b.WriteString(forDir)
			} else if ok {
				b.WriteString(forFile)
			}
		}
		add(has[Creator](s), "c", "aw")
		add(has[Remover](s), "dp", "d")
		add(has[Renamer](s), "f", "f")
		add(has[Mkdirer](s), "m", "")
		add(true, "el", "r")
		return b.String()
	}
	dir, file := letters(true), letters(false)
	return func(info fs.FileInfo) string {
		if info.IsDir() {
			return dir
		}
		return file
	}
}
