package ftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/farend-go/farend/wire"
)

// maxEntry is how long a line of a listing may be.
const maxEntry = 64 << 10

// lines begins a listing and gives its lines, decoded. It ends with the error
// of the transfer, if there is one.
func (c *Client) lines(ctx context.Context, verb, arg string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		arg, err := c.o.Names.encode(arg)
		if err != nil {
			yield("", err)
			return
		}
		s, err := c.transfer(ctx, "A", verb, arg, 0)
		if err != nil {
			yield("", err)
			return
		}
		b := &Body{s: s, want: -1}
		defer b.Close()
		var r wire.Reader
		r.Init(wire.Over(b, &r), maxEntry)
		defer r.Own()
		for {
			raw, err := r.LooseLine()
			if errors.Is(err, io.ErrUnexpectedEOF) && b.err == io.EOF && r.Buffered() == 0 { // the last line has no end
				err = io.EOF
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield("", err)
				return
			}
			line, err := c.o.Names.decode(strings.TrimSuffix(string(raw), "\r"))
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Names lists the names in a directory, or those that a pattern fits, as the
// server writes them (NLST). "" is the current directory.
func (c *Client) Names(ctx context.Context, dir string) ([]string, error) {
	var names []string
	for name, err := range c.lines(ctx, "NLST", dir) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

// Entries gives what is in a directory, "" being the current one: by MLSD, or
// of a server without it by LIST, of which lines in no known form are passed
// over. The Client can do nothing else meanwhile. An error is the last thing
// that it gives.
func (c *Client) Entries(ctx context.Context, dir string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		facts, err := c.has(ctx, "MLST")
		if err != nil {
			yield(Entry{}, err)
			return
		}
		verb, parse := "LIST", ParseList
		if facts {
			verb, parse = "MLSD", func(line string, _ time.Time) (Entry, error) { return ParseFacts(line) }
		}
		now, pending := time.Now().UTC(), ""
		for line, err := range c.lines(ctx, verb, dir) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if pending != "" { // VMS breaks a line behind a long name
				line, pending = pending+" "+line, ""
			} else if !facts && isVMSName(line) {
				pending = line
				continue
			}
			e, err := parse(line, now)
			if err != nil || e.isSelf() {
				continue
			}
			e.Name = path.Base(e.Name) // no entry is anywhere else
			if !yield(e, nil) {
				return
			}
		}
	}
}

// isVMSName tells a line that has but a name and its version.
func isVMSName(line string) bool {
	name, version, ok := strings.Cut(line, ";")
	return ok && name != "" && version != "" && !strings.ContainsAny(line, " \t") && strings.Trim(version, "0123456789") == ""
}

// List is Entries, all at once.
func (c *Client) List(ctx context.Context, dir string) ([]Entry, error) {
	var all []Entry
	for e, err := range c.Entries(ctx, dir) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Stat tells of one file or directory: by MLST, or of a server without it by
// what SIZE, MDTM and CWD give.
func (c *Client) Stat(ctx context.Context, name string) (Entry, error) {
	facts, err := c.has(ctx, "MLST")
	if err != nil {
		return Entry{}, err
	}
	if facts {
		r, err := c.named(ctx, "MLST", name)
		if err != nil {
			return Entry{}, err
		}
		if len(r.Lines) < 3 {
			return Entry{}, ErrReply
		}
		line, err := c.o.Names.decode(strings.TrimPrefix(r.Lines[1], " "))
		if err != nil {
			return Entry{}, err
		}
		e, err := ParseFacts(line)
		e.Name = path.Base(path.Clean(e.Name))
		return e, err
	}
	return c.statByParts(ctx, name)
}

func (c *Client) statByParts(ctx context.Context, name string) (Entry, error) {
	e := Entry{Name: path.Base(path.Clean(name)), Size: -1}
	size, sizeErr := c.Size(ctx, name)
	if notReply(sizeErr) != nil {
		return e, sizeErr
	}
	if sizeErr == nil {
		e.Size = size
		t, err := c.ModTime(ctx, name)
		e.Time = t
		return e, notReply(err)
	}
	here, err := c.Pwd(ctx)
	if err != nil {
		return e, err
	}
	if err := c.Cwd(ctx, name); err != nil {
		if notReply(err) == nil {
			return e, sizeErr
		}
		return e, err
	}
	e.Mode = fs.ModeDir
	return e, c.Cwd(ctx, here)
}

// Walk goes through a tree, directories before what is in them, by names that
// begin with root. A directory that cannot be listed is given a second time,
// with the error; the walk goes on if the session does. Symbolic links are not
// followed. At most one directory's entries for each level are held.
func (c *Client) Walk(ctx context.Context, root string) iter.Seq2[Walked, error] {
	return func(yield func(Walked, error) bool) {
		c.walk(ctx, Walked{Path: root, Entry: Entry{Name: path.Base(root), Mode: fs.ModeDir, Size: -1}}, maxDepth, yield)
	}
}

// Walked is an entry and the whole name by which it is reached.
type Walked struct {
	Path string
	Entry
}

// maxDepth is how deep Walk goes: a server may make up directories without end.
const maxDepth = 100

func (c *Client) walk(ctx context.Context, dir Walked, depth int, yield func(Walked, error) bool) bool {
	entries, err := c.List(ctx, dir.Path)
	if err != nil && !yield(dir, err) {
		return false
	}
	if c.broken {
		return false
	}
	for _, e := range entries {
		w := Walked{path.Join(dir.Path, e.Name), e}
		if !yield(w, nil) {
			return false
		}
		if e.IsDir() && depth > 0 && !c.walk(ctx, w, depth-1, yield) {
			return false
		}
	}
	return true
}
