package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"syscall"
)

// Files is the tree that a FileServer serves, with names as package fs has
// them: "." is the root. What may be changed there is what else it implements:
// Creator, Mkdirer, Remover. Without any it is read-only, and every such fs.FS
// will do (see ReadOnly). Its methods may be called by several goroutines.
//
// Errors are told to the client by what errors.Is finds in them: fs.ErrNotExist
// and fs.ErrInvalid (404), fs.ErrPermission (403), fs.ErrExist (409), a full
// disk's syscall.ENOSPC or EDQUOT (507); or by a Status in them. No text of
// theirs leaves the server.
type Files interface {
	// Open opens a file for reading. An *os.File goes to the network by
	// sendfile(2); without an io.Seeker there are no ranges.
	fs.FS
	fs.StatFS
	fs.ReadDirFS
}

// Creator makes files (PUT).
type Creator interface {
	Create(ctx context.Context, name string, o CreateOptions) (Upload, error)
}

// CreateOptions says how a file is to be written; the zero value replaces.
// Conditions that do not hold, also at Commit, are a Status of 412.
type CreateOptions struct {
	IfAbsent bool        // only where there is none
	IfMatch  fs.FileInfo // only while it is as Stat gave it
	Size     int64       // as Content-Length announces it; 0: unknown
}

// An Upload is a file that is being received. After Commit or Abort it is
// over; Abort after Commit does nothing.
type Upload interface {
	io.Writer
	Commit() error
	Abort() error
}

// Mkdirer makes directories: those above a file that is PUT, since HTTP has no
// other way to make them.
type Mkdirer interface{ Mkdir(name string) error }

// Remover removes files and empty directories (DELETE).
type Remover interface {
	// Remove takes a name away; with as only while it is as Stat gave it, and
	// otherwise a Status of 412: between the look and the removal nobody comes.
	Remove(name string, as fs.FileInfo) error
}

// ReadOnly makes Files of any fs.FS.
func ReadOnly(fsys fs.FS) Files { return readOnly{fsys} }

type readOnly struct{ fs.FS }

func (f readOnly) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(f.FS, name) }
func (f readOnly) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// Status is a response's status code that is not a good one, as an error.
type Status int

// Error is the code and its name, as in "http: 404 Not Found".
func (s Status) Error() string { return fmt.Sprintf("http: %d %s", int(s), http.StatusText(int(s))) }

// statusOf is what a client is told of an error.
func statusOf(err error) int {
	if s, ok := errors.AsType[Status](err); ok {
		return int(s)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	for _, known := range []struct {
		err  error
		code int
	}{
		{fs.ErrNotExist, http.StatusNotFound},
		{fs.ErrInvalid, http.StatusNotFound},
		{syscall.ENAMETOOLONG, http.StatusNotFound},
		{fs.ErrPermission, http.StatusForbidden},
		{fs.ErrExist, http.StatusConflict},
		{syscall.ENOSPC, http.StatusInsufficientStorage},
		{syscall.EDQUOT, http.StatusInsufficientStorage},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return http.StatusInternalServerError
}

// refuse answers with a status and a line of text; "" is the status's name.
func refuse(w http.ResponseWriter, code int, text string) {
	if text == "" {
		text = http.StatusText(code)
	}
	h := w.Header()
	for _, of := range []string{"Etag", "Last-Modified", "Content-Encoding", "Cache-Control", "Content-Length"} {
		delete(h, of)
	}
	h["Content-Type"] = plainText
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "%d %s\n", code, text) // whoever has gone does not miss it
}

// Values of fields, shared by all responses.
var (
	plainText  = []string{"text/plain; charset=utf-8"}
	nosniff    = []string{"nosniff"}
	acceptsAny = []string{"bytes"}
)
