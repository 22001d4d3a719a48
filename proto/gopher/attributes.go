package gopher

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// This file answers the server's half of Gopher+ attributes.

// attributes answers "!" (Gopher+ section 2.5).
func (s *session) attributes(ctx context.Context, r Request, res Resource) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.head(r, untilDot); err != nil {
		return err
	}
	if err := s.tell(res, wanted(r.Plus)); err != nil {
		return err
	}
	return s.t.W.LineString(".")
}

// allAttributes answers "$" (Gopher+ section 2.7): those of a menu's items, as
// far as they are ours.
func (s *session) allAttributes(ctx context.Context, r Request, res Resource) error {
	if res.Item.Type != Menu {
		return s.attributes(ctx, r, res)
	}
	if err := s.head(r, untilDot); err != nil {
		return err
	}
	only := wanted(r.Plus)
	for item, err := range s.b.Menu(ctx, r.Selector) {
		if err != nil {
			break // the list may be short, but never a lie
		}
		if !item.Type.Fetchable() {
			continue
		}
		of := Resource{Item: item, Size: -1}
		if item.Host == "" {
			if of, err = s.b.Stat(ctx, item.Selector); err != nil {
				continue
			}
			of.Item = item
		}
		if err := s.tell(of, only); err != nil {
			return err
		}
	}
	return s.t.W.LineString(".")
}

// wanted are the names behind "!" and "$": "!+VIEWS+ABSTRACT"; none: all. RFC
// 4266 separates them by blanks too.
func wanted(plus string) []string {
	return strings.FieldsFunc(plus[1:], func(r rune) bool { return r == '+' || r == ' ' })
}

// tell writes the attributes of one item. What cannot be told is left out.
func (s *session) tell(res Resource, only []string) error {
	a := Attributes{Item: s.ours(res.Item)}
	if res.Item.Host == "" { // another server's are its own to tell
		a.Blocks = s.blocks(res)
	}
	if len(only) > 0 {
		a.Blocks = slices.DeleteFunc(a.Blocks, func(b Block) bool { return !slices.Contains(only, b.Name) })
	}
	b, err := a.Append(nil)
	if err != nil {
		return nil //nolint:nilerr // a name that would break the line: nobody could ask for it either
	}
	_, err = s.t.W.Write(b)
	return err
}

func (s *session) blocks(res Resource) []Block {
	admin := visible(s.o.Admin)
	if !strings.Contains(admin, "<") { // an address stands in brackets, even one that is not there
		admin = strings.TrimSpace(admin + " <>")
	}
	adm := Block{Name: "ADMIN", Lines: []string{"Admin: " + admin}}
	if !res.ModTime.IsZero() {
		t := res.ModTime.UTC()
		adm.Lines = append(adm.Lines, fmt.Sprintf("Mod-Date: %s <%s>", t.Format("Mon Jan _2 15:04:05 2006"), t.Format(stamp)))
	}
	views := Block{Name: "VIEWS"}
	own := View{Media: mediaTypeOf(res.Item.Type, res.Item.Selector), Size: res.Size}
	for _, v := range append([]View{own}, res.Views...) {
		views.Lines = append(views.Lines, visible(v.line()))
	}
	blocks := []Block{adm, views}
	if res.Abstract != "" {
		abstract := Block{Name: "ABSTRACT"}
		for line := range strings.Lines(res.Abstract) {
			abstract.Lines = append(abstract.Lines, visible(strings.TrimRight(line, "\r\n")))
		}
		blocks = append(blocks, abstract)
	}
	return blocks
}
