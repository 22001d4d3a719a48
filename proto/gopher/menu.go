package gopher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/farend-go/farend/wire"
)

// An Item is a line of a menu (RFC 1436, appendix: DirEntity).
type Item struct {
	Type     Type
	Name     string // what people read
	Selector string // what the server is asked
	Host     string // without brackets; "" is the server that sent the menu
	Port     int    // 0: that of the server that sent the menu
	Plus     string // Gopher+: "+" where attributes may be asked for, "?" where a form has to be filled in, or what else follows
}

var (
	// ErrItem is a line that is no item of a menu.
	ErrItem = errors.New("gopher: not a line of a menu")
	// ErrField is CR, LF, TAB or NUL inside a field: it would end the field
	// and begin something that was not meant.
	ErrField = errors.New("gopher: CR, LF, TAB or NUL inside a field")
)

// clean tells whether a field has nothing inside that ends it.
func clean(fields ...string) bool {
	for _, f := range fields {
		if strings.ContainsAny(f, "\r\n\t\x00") {
			return false
		}
	}
	return true
}

// Append writes the item as a line without CRLF. ErrField: nothing was
// written.
func (i Item) Append(b []byte) ([]byte, error) {
	if !i.Type.valid() || i.Port < 0 || i.Port > 65535 {
		return b, ErrItem
	}
	if !clean(i.Name, i.Selector, i.Host, i.Plus) {
		return b, ErrField
	}
	b = append(b, byte(i.Type))
	b = append(append(b, i.Name...), '\t')
	b = append(append(b, i.Selector...), '\t')
	b = append(append(b, i.Host...), '\t')
	b = strconv.AppendInt(b, int64(i.Port), 10)
	if i.Plus != "" {
		b = append(append(b, '\t'), i.Plus...)
	}
	return b, nil
}

// ParseItem reads a line of a menu without its end. Fields may be missing from
// the end on. ErrItem: it has no type, a port that is none, or a CR or NUL
// inside.
func ParseItem(line []byte) (Item, error) {
	if len(line) == 0 || !Type(line[0]).valid() || bytes.ContainsAny(line, "\r\n\x00") {
		return Item{}, ErrItem
	}
	f := strings.SplitN(string(line[1:]), "\t", 5)
	f = append(f, "", "", "", "")
	i := Item{Type: Type(line[0]), Name: f[0], Selector: f[1], Host: strings.Trim(f[2], " []"), Plus: f[4]}
	i.Plus, _, _ = strings.Cut(i.Plus, "\t") // what follows is nobody's yet
	port := strings.TrimSpace(f[3])
	if port == "" {
		return i, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		if i.Type == Info || i.Type == Error { // nobody connects there
			return i, nil
		}
		return Item{}, ErrItem
	}
	i.Port = int(n)
	return i, nil
}

// InfoLine is an item that is only read.
func InfoLine(text string) Item {
	return Item{Type: Info, Name: text, Host: "error.host", Port: 1}
}

// Link is where an item of type HTML with a selector "URL:..." leads, a
// convention for links out of gopherspace; "" for all others.
func (i Item) Link() string {
	if i.Type != HTML {
		return ""
	}
	if link, ok := strings.CutPrefix(i.Selector, "URL:"); ok {
		return link
	}
	link, _ := strings.CutPrefix(i.Selector, "/URL:")
	if link == i.Selector {
		return ""
	}
	return link
}

// ReadMenu reads the items of a menu up to its single dot, or the end of the
// stream, which some servers take for one. LF alone ends a line too. A line
// that is no item becomes an Info of its text. An error ends the menu.
func ReadMenu(r io.Reader) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var lines wire.Reader
		lines.Init(wire.Over(r, &lines), maxMenuLine)
		defer lines.Own()
		for {
			line, err := lines.LooseLine()
			switch {
			case err == io.EOF || len(line) == 1 && line[0] == '.':
				return
			case err != nil:
				yield(Item{}, fmt.Errorf("gopher: menu: %w", err))
				return
			case len(line) == 0:
				continue
			}
			item, err := ParseItem(line)
			if err != nil {
				item = InfoLine(visible(string(line)))
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// maxMenuLine is the limit of a line of a menu. RFC 1436 has 70 characters of
// name and 255 of selector in mind; links of today are longer.
const maxMenuLine = 8192

// visible is text with what would break a line made into blanks.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
