package gopher_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/proto/gopher"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rawBits is the server of RFC 1436's example.
type rawBits struct{}

var rawBitsOptions = gopher.Options{Host: "rawBits.micro.umn.edu", Port: 70, Admin: "Frodo Gophermeister <fng@bogus.edu>"}

var (
	about   = gopher.Item{Type: gopher.Text, Name: "About internet Gopher", Selector: "Stuff:About us"}
	program = gopher.Item{Type: gopher.Binary, Name: "A program", Selector: "Stuff:bin"}
	stuff   = gopher.Item{Type: gopher.Menu, Name: "Departmental Publications", Selector: "Stuff:DP:"}
	index   = gopher.Item{Type: gopher.Search, Name: "Index", Selector: "Index"}
)

const (
	aboutText = "Gopher is a protocol.\n.\n..and that was a line with a dot.\n"
	psText    = "%!PS-Adobe\n"
)

var binText = []byte("\x00\x01\r\n.\r\n\xff")

func (rawBits) Stat(_ context.Context, selector string) (gopher.Resource, error) {
	switch selector {
	case "":
		return gopher.Resource{Item: gopher.Item{Type: gopher.Menu, Name: "Root"}, Size: -1}, nil
	case about.Selector:
		return gopher.Resource{
			Item: about, Size: 10 << 10, ModTime: time.Date(1993, 7, 28, 17, 2, 1, 0, time.UTC), Abstract: "This is a short\nabstract.\n",
			Views: []gopher.View{{Media: "application/postscript", Lang: "De_DE", Size: 100 << 10, Selector: "ps"}},
		}, nil
	case program.Selector:
		return gopher.Resource{Item: program, Size: int64(len(binText))}, nil
	case stuff.Selector:
		return gopher.Resource{Item: stuff, Size: -1}, nil
	case index.Selector:
		return gopher.Resource{Item: index, Size: -1}, nil
	}
	return gopher.Resource{}, fs.ErrNotExist
}

func (rawBits) Menu(_ context.Context, selector string) iter.Seq2[gopher.Item, error] {
	items := []gopher.Item{
		about,
		{Type: gopher.Menu, Name: "Around University of Minnesota", Selector: "Z,5692,AUM", Host: "underdog.micro.umn.edu", Port: 70},
		{Type: gopher.Menu, Name: "Microcomputer News & Prices", Selector: "Prices/", Host: "pserver.bookstore.umn.edu", Port: 70},
		{Type: gopher.Menu, Name: "Courses, Schedules, Calendars", Host: "events.ais.umn.edu", Port: 9120},
		{Type: gopher.Menu, Name: "Student-Staff Directories", Host: "uinfo.ais.umn.edu", Port: 70},
		stuff,
	}
	if selector == stuff.Selector {
		items = []gopher.Item{about, program, {Type: gopher.Menu, Name: "Elsewhere", Host: "uinfo.ais.umn.edu", Port: 70}}
	}
	return sequence(items...)
}

func (rawBits) Search(_ context.Context, _, words string) iter.Seq2[gopher.Item, error] {
	return sequence(about, gopher.InfoLine("You looked for "+words))
}

func sequence(items ...gopher.Item) iter.Seq2[gopher.Item, error] {
	return func(yield func(gopher.Item, error) bool) {
		for i := range slices.Values(items) {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// file is what a backend opens, with a size.
type file struct {
	*bytes.Reader
	size int64
}

func (file) Close() error                 { return nil }
func (f file) Stat() (fs.FileInfo, error) { return f, nil }
func (f file) Name() string               { return "file" }
func (f file) Size() int64                { return f.size }
func (f file) Mode() fs.FileMode          { return 0 }
func (f file) ModTime() time.Time         { return time.Time{} }
func (f file) IsDir() bool                { return false }
func (f file) Sys() any                   { return nil }
func content(b string, size int64) file   { return file{bytes.NewReader([]byte(b)), size} }

func (rawBits) Open(_ context.Context, selector string) (io.ReadCloser, error) {
	switch selector {
	case about.Selector:
		return content(aboutText, int64(len(aboutText))), nil
	case program.Selector:
		return content(string(binText), int64(len(binText))), nil
	case "ps":
		return content(psText, int64(len(psText))), nil
	}
	return nil, fs.ErrNotExist
}

var (
	_ gopher.Backend  = rawBits{}
	_ gopher.Searcher = rawBits{}
)
