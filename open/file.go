package open

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// ErrNotFile is a file: URL that leads to a folder, a device or a pipe.
var ErrNotFile = errors.New("not a regular file")

// File is the scheme of RFC 8089 over a tree; nil is the whole disk, of this
// host only: file:///path, file:/path and file://localhost/path. GET and HEAD
// are answered with Content-Length, Content-Type (by the name), Last-Modified,
// and one Range. What cannot be opened is an error, fs.ErrNotExist and its kin,
// not a 404: there is no server that could say so.
func File(tree fs.FS) Scheme { return Scheme{"file", files{tree}} }

type files struct{ tree fs.FS }

func (f files) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if m := method(req); m != http.MethodGet && m != http.MethodHead {
		return nil, fmt.Errorf("a file: URL can only be read, not %s", m)
	}
	file, err := f.open(req.URL)
	if err != nil {
		return nil, err
	}
	resp, err := fileResponse(req, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return resp, nil
}

// FilePath is the path that a file: URL names, as this system spells it: the
// heir of Python's url2pathname. A URL of another host, and one whose path no
// file can have, is an error.
func FilePath(u *url.URL) (string, error) {
	if h := u.Hostname(); h != "" && !strings.EqualFold(h, "localhost") {
		return "", fmt.Errorf("a file: URL leads to this host only, not to %s", h)
	}
	if u.Path == "" || strings.ContainsRune(u.Path, 0) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return "", fmt.Errorf("no path of a file: %q", u.EscapedPath())
	}
	return diskPath(u.Path), nil
}

// open opens only what is a regular file: to open a pipe may wait for ever.
func (f files) open(u *url.URL) (fs.File, error) {
	name, err := FilePath(u)
	if err != nil {
		return nil, err
	}
	stat, open := os.Stat, func(name string) (fs.File, error) { return os.Open(name) }
	if f.tree != nil {
		stat, open = func(name string) (fs.FileInfo, error) { return fs.Stat(f.tree, name) }, f.tree.Open
		name = strings.TrimPrefix(path.Clean(u.Path), "/")
	}
	info, err := stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotFile}
	}
	return open(name)
}

func fileResponse(req *http.Request, file fs.File) (*http.Response, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	resp := respond(req, http.StatusOK, file)
	resp.ContentLength = info.Size()
	resp.Header.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
	if t := mime.TypeByExtension(path.Ext(info.Name())); t != "" {
		resp.Header.Set("Content-Type", t)
	}
	if seeker, ok := file.(io.Seeker); ok && unchanged(req, info.ModTime()) {
		resp.Header.Set("Accept-Ranges", "bytes")
		if err := fileRange(req, resp, seeker); err != nil {
			return nil, err
		}
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	if method(req) == http.MethodHead || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		resp.Body = http.NoBody
		return resp, file.Close()
	}
	return resp, nil
}

// unchanged tells whether a Range still counts (If-Range, RFC 9110 section
// 13.1.5).
func unchanged(req *http.Request, modified time.Time) bool {
	v := req.Header.Get("If-Range")
	return v == "" || v == modified.UTC().Format(http.TimeFormat)
}

// fileRange narrows an answer to the one range that was asked for.
func fileRange(req *http.Request, resp *http.Response, file io.Seeker) error {
	size := resp.ContentLength
	from, to, ok := parseRange(req.Header.Get("Range"), size)
	if !ok {
		return nil
	}
	if from > to {
		status(resp, http.StatusRequestedRangeNotSatisfiable)
		resp.Header.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		resp.ContentLength = 0
		return nil
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return err
	}
	status(resp, http.StatusPartialContent)
	resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
	resp.ContentLength = to - from + 1
	resp.Body = &part{io.LimitReader(resp.Body, resp.ContentLength), resp.Body}
	return nil
}

type part struct {
	io.Reader
	io.Closer
}

// parseRange reads bytes=A-B, bytes=A- and bytes=-N (RFC 9110 section 14.1.2);
// ok is false for what is none of these, which a server may pass over. A range
// that lies outside has from > to.
func parseRange(field string, size int64) (from, to int64, ok bool) {
	spec, isBytes := strings.CutPrefix(strings.ToLower(strings.TrimSpace(field)), "bytes=")
	a, b, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !isBytes || !dash || a == "" && b == "" {
		return 0, 0, false
	}
	first, err1 := strconv.ParseUint(a, 10, 63)
	last, err2 := strconv.ParseUint(b, 10, 63)
	switch {
	case a == "" && err2 == nil:
		if last == 0 {
			return 1, 0, true
		}
		return max(0, size-int64(last)), size - 1, true
	case a == "" || err1 != nil || b != "" && (err2 != nil || last < first):
		return 0, 0, false
	case int64(first) >= size:
		return 1, 0, true
	case b == "":
		return int64(first), size - 1, true
	}
	return int64(first), min(int64(last), size-1), true
}

// respond is an answer that no server gave.
func respond(req *http.Request, code int, body io.ReadCloser) *http.Response {
	resp := &http.Response{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: body, Request: req,
	}
	status(resp, code)
	return resp
}

func status(resp *http.Response, code int) {
	resp.StatusCode = code
	resp.Status = strconv.Itoa(code) + " " + http.StatusText(code)
}
