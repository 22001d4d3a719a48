package files

import (
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/farend-go/farend/proto/gopher"
)

// This file reads gophermaps, a convention that Bucktooth began and Gophernicus
// and others took up:
//
//	Some text                      a line to be read
//	0About us<TAB>about.txt        an item; the selector is relative to the directory
//	1A friend<TAB>/<TAB>host<TAB>70  one of another server
//	!title   #comment   -file (hide)   :ext=type   =other map   * (the listing, and end)   . (end)

const (
	mapSize  = 1 << 20 // of a gophermap; what lies beyond is not read
	mapDepth = 4       // of maps in maps
)

// gophermap reads a map; fs.ErrNotExist: there is none.
func (g *gopherTree) gophermap(name string) (string, error) {
	if hidden(name) {
		return "", fs.ErrNotExist
	}
	f, err := g.t.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return "", err
	} else if info.IsDir() {
		return "", fs.ErrNotExist
	}
	b, err := io.ReadAll(io.LimitReader(f, mapSize))
	return string(b), err
}

// gophermap hands out what a map says. It is false when no more is to come.
func (m *menuMaker) gophermap(dir, text string, depth int) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "." {
			return false
		}
		if line == "*" {
			m.list(dir)
			return false
		}
		if !m.mapLine(dir, line, depth) {
			return false
		}
	}
	return true
}

func (m *menuMaker) mapLine(dir, line string, depth int) bool {
	if strings.Contains(line, "\t") {
		return m.put(mapItem(dir, line))
	}
	if line == "" {
		return m.put(gopher.InfoLine(""))
	}
	rest := line[1:]
	switch line[0] {
	case '#':
		return true
	case '!':
		return m.put(gopher.InfoLine(rest))
	case '-':
		if strings.ContainsAny(rest, " /") || rest == "" { // a dash, not a file
			return m.put(gopher.InfoLine(line))
		}
		if m.hide == nil {
			m.hide = map[string]bool{}
		}
		m.hide[rest] = true
		return true
	case ':':
		ext, to, ok := strings.Cut(rest, "=")
		if !ok || len(to) != 1 {
			return m.put(gopher.InfoLine(line))
		}
		if m.types == nil {
			m.types = map[string]gopher.Type{}
		}
		m.types[strings.TrimPrefix(ext, ".")] = gopher.Type(to[0])
		return true
	case '=':
		return m.include(dir, rest, depth)
	}
	return m.put(gopher.InfoLine(strings.ToValidUTF8(line, "?")))
}

// include goes on with another map of the tree. Nothing is ever run.
func (m *menuMaker) include(dir, file string, depth int) bool {
	name := strings.TrimPrefix(relative(dir, strings.TrimSpace(file)), "/")
	if depth >= mapDepth || !fs.ValidPath(name) || hidden(name) {
		return true
	}
	text, err := m.g.gophermap(name)
	if err != nil {
		return true // a map that is not there says nothing
	}
	return m.gophermap(dir, text, depth+1)
}

// mapItem is a line with tabs. What is left out is ours.
func mapItem(dir, line string) gopher.Item {
	item, err := gopher.ParseItem([]byte(line))
	if err != nil {
		return gopher.InfoLine(strings.ReplaceAll(line, "\t", " "))
	}
	if item.Host != "" {
		if item.Port == 0 {
			item.Port = gopher.DefaultPort
		}
		return item
	}
	if item.Selector == "" {
		item.Selector = item.Name
	}
	item.Selector, item.Port = relative(dir, item.Selector), 0
	return item
}

// relative is a selector as it stands in the map of a directory.
func relative(dir, sel string) string {
	for _, whole := range []string{"/", "URL:", searchPrefix, "GET "} {
		if strings.HasPrefix(sel, whole) {
			return sel
		}
	}
	return path.Join("/", dir, sel)
}
