package gopher

import (
	"context"
	"io"
	"iter"
	"time"
)

// A Backend is what a server stands on. Selectors come as the client sent them,
// without CR, LF, TAB and NUL, at most as long as the server's limit of a line;
// what they mean is the Backend's own affair. Errors for which errors.Is finds
// fs.ErrNotExist or fs.ErrPermission are told as such, others as "cannot be
// read" only. Its methods are called by many goroutines and may wait; ctx ends
// when the server's time for stopping has passed.
type Backend interface {
	// Stat tells what a selector names. Its type decides how it is sent.
	Stat(ctx context.Context, selector string) (Resource, error)
	// Menu lists the items of a resource of type Menu. An item without a Host
	// is the server's own.
	Menu(ctx context.Context, selector string) iter.Seq2[Item, error]
	// Open opens what is no menu; the session closes it. Where it is a
	// *os.File that is sent as it is, the kernel sends it.
	Open(ctx context.Context, selector string) (io.ReadCloser, error)
}

// A Searcher is a Backend that has resources of type Search.
type Searcher interface {
	// Search lists the items that fit the words, which came as they were typed.
	Search(ctx context.Context, selector, words string) iter.Seq2[Item, error]
}

// A Resource is what a selector names.
type Resource struct {
	Item     Item      // as it stands in a menu; an empty Host is the server's
	Size     int64     // in bytes; -1: not known
	ModTime  time.Time // zero: not known
	Abstract string    // a few lines about it; "": none
	Views    []View    // other forms in which it can be had; each has a Selector for Open
}

// Options of a server. The zero value serves.
type Options struct {
	// Host is the name under which clients reach the server, in every menu.
	// "": the address at which they reached it.
	Host string
	Port int // likewise; 0: the port of the connection
	// Admin is who is responsible: a name, and an address in angle brackets.
	// "": nobody is named.
	Admin string
	// TLSPort is the port of gophers, for caps.txt; 0: none.
	TLSPort int
	// Caps are more lines for caps.txt. The file is made up where the Backend
	// has none.
	Caps Caps
}
