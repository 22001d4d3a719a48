package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/gopher"
)

// GopherOptions says how a tree becomes menus. The zero value is a server with
// search.
type GopherOptions struct {
	// Map is the name of the file in a directory that is its menu; "":
	// "gophermap".
	Map string
	// NoSearch leaves out the index of the top menu, which looks into names
	// and texts.
	NoSearch bool
}

// Gopher fits a tree to the gopher server. Selectors are paths, with or without
// the slash before them. A directory is a menu: its files by name, or what its
// gophermap says. Names that begin with a dot do not exist.
func Gopher(t filetree.Tree, o GopherOptions) gopher.Backend {
	if o.Map == "" {
		o.Map = "gophermap"
	}
	return &gopherTree{t, o}
}

type gopherTree struct {
	t filetree.Tree
	o GopherOptions
}

var (
	_ gopher.Backend  = (*gopherTree)(nil)
	_ gopher.Searcher = (*gopherTree)(nil)
)

// searchPrefix is how the selectors of indexes begin; the directory follows.
const searchPrefix = "search:"

// name is what a selector names in the tree.
func (g *gopherTree) name(selector string) (string, error) {
	name := strings.Trim(selector, "/")
	if name == "" {
		return ".", nil
	}
	if name == "." || !fs.ValidPath(name) || hidden(name) {
		return "", &fs.PathError{Op: "gopher", Path: selector, Err: fs.ErrNotExist}
	}
	return name, nil
}

// hidden tells names with an element that begins with a dot.
func hidden(name string) bool { return name != "." && (name[0] == '.' || strings.Contains(name, "/.")) }

// selector is how a name is asked for.
func selector(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

func (g *gopherTree) Stat(_ context.Context, sel string) (gopher.Resource, error) {
	dir, isSearch := strings.CutPrefix(sel, searchPrefix)
	isSearch = isSearch && !g.o.NoSearch
	if isSearch {
		sel = dir
	}
	name, err := g.name(sel)
	if err != nil {
		return gopher.Resource{}, err
	}
	info, err := g.t.Stat(name)
	if err != nil {
		return gopher.Resource{}, err
	}
	if isSearch {
		if !info.IsDir() {
			return gopher.Resource{}, &fs.PathError{Op: "gopher", Path: sel, Err: fs.ErrNotExist}
		}
		return gopher.Resource{Item: searchItem(name), Size: -1, ModTime: info.ModTime()}, nil
	}
	res := gopher.Resource{Item: g.item(name, info), Size: info.Size(), ModTime: info.ModTime()}
	if info.IsDir() {
		res.Size = -1
	}
	return res, nil
}

// item is a file or directory as it stands in a menu.
func (g *gopherTree) item(name string, info fs.FileInfo) gopher.Item {
	i := gopher.Item{Type: gopher.Menu, Name: path.Base(name), Selector: selector(name)}
	if name == "." {
		i.Name = "/"
	}
	if !info.IsDir() {
		i.Type = g.typeOf(name)
	}
	return i
}

func searchItem(dir string) gopher.Item {
	return gopher.Item{Type: gopher.Search, Name: "Search names and texts", Selector: searchPrefix + selector(dir)}
}

// typeOf goes by the name, and where that says nothing by the first bytes.
func (g *gopherTree) typeOf(name string) gopher.Type {
	t := gopher.TypeOf(name)
	if t != gopher.Binary {
		return t
	}
	f, err := g.t.Open(name)
	if err != nil {
		return t
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return t
	}
	if isText(head[:n]) {
		return gopher.Text
	}
	return t
}

// isText tells text from anything else by its beginning.
func isText(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for range utf8.UTFMax - 1 { // the last character may be cut
		if utf8.Valid(b) {
			break
		}
		b = b[:len(b)-1]
		if len(b) == 0 {
			return false
		}
	}
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' || r == 0x7f
	}) < 0
}

func (g *gopherTree) Open(_ context.Context, sel string) (io.ReadCloser, error) {
	name, err := g.name(sel)
	if err != nil {
		return nil, err
	}
	return g.t.Open(name)
}

func (g *gopherTree) Menu(ctx context.Context, sel string) iter.Seq2[gopher.Item, error] {
	return func(yield func(gopher.Item, error) bool) {
		name, err := g.name(sel)
		if err != nil {
			yield(gopher.Item{}, err)
			return
		}
		m := menuMaker{g: g, ctx: ctx.Err, yield: yield}
		text, err := g.gophermap(path.Join(name, g.o.Map))
		switch {
		case err == nil:
			m.gophermap(name, text, 0)
		case errors.Is(err, fs.ErrNotExist):
			m.list(name)
		default:
			yield(gopher.Item{}, err)
		}
	}
}

// menuMaker hands the items of a menu out.
type menuMaker struct {
	g     *gopherTree
	ctx   func() error // the context's Err
	yield func(gopher.Item, error) bool
	hide  map[string]bool        // by a gophermap
	types map[string]gopher.Type // by a gophermap, for extensions
	over  bool                   // nobody wants more
}

// put hands out an item; false: no more are wanted.
func (m *menuMaker) put(i gopher.Item) bool {
	if m.over {
		return false
	}
	if err := m.ctx(); err != nil {
		m.fail(err)
		return false
	}
	m.over = !m.yield(i, nil)
	return !m.over
}

func (m *menuMaker) fail(err error) {
	if !m.over {
		m.over = true
		m.yield(gopher.Item{}, err)
	}
}

// list hands out a directory by name. Names that a menu cannot carry are left
// out by the session.
func (m *menuMaker) list(dir string) {
	entries, err := m.g.t.ReadDir(dir)
	if err != nil {
		m.fail(err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if hidden(e.Name()) || e.Name() == m.g.o.Map || m.hide[e.Name()] {
			continue
		}
		i := gopher.Item{Type: gopher.Menu, Name: e.Name(), Selector: selector(name)}
		if !e.IsDir() {
			var ok bool
			if i.Type, ok = m.types[strings.TrimPrefix(path.Ext(name), ".")]; !ok {
				i.Type = m.g.typeOf(name)
			}
		}
		if !m.put(i) {
			return
		}
	}
	if dir == "." && !m.g.o.NoSearch {
		m.put(searchItem(dir))
	}
}

// gopherSearch bounds what one search may cost.
const (
	searchFiles   = 10_000
	searchResults = 200
	searchText    = 1 << 20  // bytes of one text
	searchBytes   = 64 << 20 // of all texts
	searchTime    = 10 * time.Second
)

// Search looks into the names below a directory and into texts up to 1 MiB.
// Words are joined by "and", "or" and "not", read from left to right; between
// two words stands an "and" (RFC 1436, appendix: SearchStr). Capitals and small
// letters are the same.
func (g *gopherTree) Search(ctx context.Context, sel, words string) iter.Seq2[gopher.Item, error] {
	return func(yield func(gopher.Item, error) bool) {
		top, err := g.name(strings.TrimPrefix(sel, searchPrefix))
		if err != nil {
			yield(gopher.Item{}, err)
			return
		}
		ctx, cancel := context.WithTimeout(ctx, searchTime)
		defer cancel()
		m := menuMaker{g: g, ctx: func() error { return nil }, yield: yield}
		q := parseQuery(words)
		if len(q) == 0 {
			m.put(gopher.InfoLine("No words to look for."))
			return
		}
		s := searching{g: g, q: q, left: searchBytes}
		err = fs.WalkDir(g.t, top, func(name string, d fs.DirEntry, err error) error { return s.visit(ctx, &m, name, d, err) })
		switch {
		case errors.Is(err, errEnough) || errors.Is(err, context.DeadlineExceeded):
			m.put(gopher.InfoLine("There may be more: the search ended here."))
		case err != nil:
			m.fail(err)
		case s.found == 0:
			m.put(gopher.InfoLine("Nothing was found."))
		}
	}
}

var errEnough = errors.New("enough was searched")

// searching is one search.
type searching struct {
	g     *gopherTree
	q     query
	left  int64 // bytes that may still be read
	seen  int
	found int
}

func (s *searching) visit(ctx context.Context, m *menuMaker, name string, d fs.DirEntry, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if d != nil && d.IsDir() {
			return fs.SkipDir // what cannot be listed has nothing to find
		}
		return nil
	}
	if name == "." {
		return nil
	}
	if hidden(d.Name()) || d.Name() == s.g.o.Map {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if s.seen++; s.seen > searchFiles || s.left <= 0 {
		return errEnough
	}
	text := strings.ToLower(name)
	i := gopher.Item{Type: gopher.Menu, Name: name, Selector: selector(name)}
	if !d.IsDir() {
		if i.Type = s.g.typeOf(name); i.Type == gopher.Text {
			text += "\n" + s.read(name)
		}
	}
	if !s.q.fits(text) {
		return nil
	}
	if s.found++; s.found > searchResults || !m.put(i) {
		return errEnough
	}
	return nil
}

// read gives the beginning of a text in small letters; nothing where it cannot
// be read.
func (s *searching) read(name string) string {
	f, err := s.g.t.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, min(searchText, s.left)))
	s.left -= int64(len(b))
	if err != nil {
		return ""
	}
	return strings.ToLower(string(b))
}

// query is words, each with the operator before it.
type query []struct{ op, word string }

func parseQuery(words string) query {
	var q query
	op := "and"
	for w := range strings.FieldsSeq(strings.ToLower(words)) {
		switch w {
		case "and", "or", "not":
			op = w
		default:
			q = append(q, struct{ op, word string }{op, w})
			op = "and"
		}
	}
	return q
}

func (q query) fits(text string) bool {
	fits := true
	for i, t := range q {
		has := strings.Contains(text, t.word)
		switch {
		case t.op == "not":
			fits = fits && !has
		case t.op == "or" && i > 0:
			fits = fits || has
		default:
			fits = fits && has
		}
	}
	return fits
}
