package web

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// A FileServer is an http.Handler that serves a tree of files, from the root
// of its URLs. Its fields are set before it serves and not changed afterwards;
// it may be used by several goroutines, and is not copied after the first use.
//
// GET and HEAD answer for files, with ranges and conditions, and for
// directories: with their index.html, or a listing in HTML or, where
// "?format=json" or Accept asks for it, in JSON. PUT and DELETE change what
// Files lets them. A file that lies compressed beside itself (a.css.br,
// a.css.zst, a.css.gz), and is no older, is sent so to whoever takes it.
//
// The type of a file is told by its name (MediaType), and that nobody is to
// guess another. Its entity tag is strong: made of its inode, size and time, or
// where there is none of these of its content.
type FileServer struct {
	Files Files
	// Cache is how many bytes of small files are kept in memory; 0: 32 MiB,
	// below 0: none. A file is looked at on the disk whenever it is asked for.
	// On Linux large files that are asked for again stay open for a second.
	Cache int64
	Log   *slog.Logger // failures that are not the client's; nil: silent

	cache cache
	kept  keptFiles
}

// Sizes of files.
const (
	smallFile    = 64 << 10 // less is kept in memory; from here on the kernel sends
	defaultCache = 32 << 20
)

var _ http.Handler = (*FileServer)(nil)

// ServeHTTP answers a request.
func (s *FileServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.get(w, r)
	case http.MethodOptions: // RFC 9110 section 9.3.7
		w.Header()["Allow"] = []string{s.allowed()}
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPut:
		s.write(w, r, s.put)
	case http.MethodDelete:
		s.write(w, r, s.delete)
	default:
		s.notAllowed(w)
	}
}

// allowed are the methods that this tree takes.
func (s *FileServer) allowed() string {
	out := "GET, HEAD, OPTIONS"
	if _, ok := s.Files.(Creator); ok {
		out += ", PUT"
	}
	if _, ok := s.Files.(Remover); ok {
		out += ", DELETE"
	}
	return out
}

func (s *FileServer) notAllowed(w http.ResponseWriter) {
	w.Header()["Allow"] = []string{s.allowed()}
	refuse(w, http.StatusMethodNotAllowed, "")
}

// nameOf is the name in the tree of a path in a URL. clean is false where the
// path has a simpler spelling.
func nameOf(p string) (name string, dir, clean bool) {
	dir = strings.HasSuffix(p, "/")
	c := path.Clean("/" + p)
	clean = c == p || dir && c+"/" == p
	if name = c[1:]; name == "" {
		return ".", true, p == "/" || p == ""
	}
	return name, dir, clean
}

func (s *FileServer) get(w http.ResponseWriter, r *http.Request) {
	name, dir, clean := nameOf(r.URL.Path)
	if !clean {
		to := "/" + name
		if name == "." {
			to = "/"
		} else if dir {
			to += "/"
		}
		redirect(w, r, to)
		return
	}
	o, err := s.share(r, name)
	switch {
	case errors.Is(err, errDirectory) && !dir:
		redirect(w, r, "/"+name+"/")
	case errors.Is(err, errDirectory):
		s.directory(w, r, name)
	case err != nil:
		s.fail(w, r, err)
	case dir:
		o.Close()
		refuse(w, http.StatusNotFound, "")
	default:
		s.file(w, r, name, o)
	}
}

// redirect sends the client to another path of ours, for good.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	u := url.URL{Path: to, RawQuery: r.URL.RawQuery}
	w.Header()["Location"] = []string{u.EscapedPath() + query(u)}
	refuse(w, http.StatusMovedPermanently, "")
}

func query(u url.URL) string {
	if u.RawQuery == "" {
		return ""
	}
	return "?" + u.RawQuery
}

// fail tells what went wrong, and no more of it than is the client's affair.
func (s *FileServer) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := statusOf(err)
	if code >= 500 && s.Log != nil {
		s.Log.Warn("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	refuse(w, code, "")
}

// directory answers with index.html, or a listing.
func (s *FileServer) directory(w http.ResponseWriter, r *http.Request, name string) {
	if r.URL.RawQuery == "" {
		index := path.Join(name, "index.html")
		if o, err := s.share(r, index); err == nil {
			s.file(w, r, index, o)
			return
		}
	}
	s.list(w, r, name)
}

// representation is what is told of a file beside its bytes. The values of
// fields are made once.
type representation struct {
	version
	size                    int64
	etag, lastModified, typ []string // nil: none
	length                  []string
	contentEncoding         []string
	canVary                 bool
}

func describe(name string, info fs.FileInfo, tag ETag) representation {
	media := MediaType(name)
	r := representation{
		version: version{true, tag, info.ModTime()}, size: info.Size(),
		typ: []string{media}, length: []string{strconv.FormatInt(info.Size(), 10)}, canVary: compresses(media),
	}
	if tag.Opaque != "" {
		r.etag = []string{tag.String()}
	}
	if unix := info.ModTime().Unix(); unix == 0 || info.ModTime().IsZero() {
		r.modified = time.Time{}
	} else {
		r.lastModified = []string{info.ModTime().UTC().Format(http.TimeFormat)}
	}
	return r
}

// opened is a file that is to be sent: its bytes, or where they come from.
type opened struct {
	representation
	data []byte
	file fs.File // nil: data
	at   int64   // where file stands
	seen *cached // what was told of it before; nil: nothing
	kept *keptFile
}

func (o *opened) Close() {
	switch {
	case o.kept != nil:
		o.kept.put()
	case o.file != nil:
		o.file.Close()
	}
}

// errDirectory is what open says of a directory.
var errDirectory = errors.New("http: is a directory")

// open gives a file as it is now.
func (s *FileServer) open(name string) (*opened, error) {
	e := s.cache.get(name)
	if e != nil && e.data != nil {
		if info, err := s.Files.Stat(name); err == nil {
			if id, _ := identityOf(info); id == e.id {
				return &opened{representation: e.representation, data: e.data}, nil
			}
		}
	}
	f, err := s.Files.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errDirectory
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if info.Size() < smallFile {
		defer f.Close()
		return s.load(name, info, f)
	}
	id, ok := identityOf(info)
	if ok && e != nil && e.id == id {
		return &opened{representation: e.representation, file: f, seen: e}, nil
	}
	tag := ETag{}
	if ok || !info.ModTime().IsZero() {
		tag = id.tag()
	}
	o := &opened{representation: describe(name, info, tag), file: f}
	if ok {
		s.keep(&cached{representation: o.representation, name: name, id: id})
	}
	return o, nil
}

// load reads a small file, and keeps it where its identity tells when it is
// another.
func (s *FileServer) load(name string, info fs.FileInfo, f fs.File) (*opened, error) {
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	id, ok := identityOf(info)
	if !ok {
		sum := sha256.Sum256(data)
		tag := ETag{Opaque: base64.RawURLEncoding.EncodeToString(sum[:15])}
		return &opened{representation: describe(name, info, tag), data: data}, nil
	}
	e := &cached{representation: describe(name, info, id.tag()), name: name, id: id, data: data}
	if after, err := f.Stat(); err == nil && after.Size() == info.Size() && after.ModTime().Equal(info.ModTime()) && time.Since(info.ModTime()) > settled {
		s.keep(e)
	}
	return &opened{representation: e.representation, data: data}, nil
}

// settled is how old a file must be to be kept: one that was written a moment
// ago may be written again within the grain of its time.
const settled = 50 * time.Millisecond

func (s *FileServer) keep(e *cached) {
	if s.Cache < 0 {
		return
	}
	s.cache.mu.Lock()
	if s.cache.limit = s.Cache; s.cache.limit == 0 {
		s.cache.limit = defaultCache
	}
	s.cache.mu.Unlock()
	s.cache.put(e)
}

// file answers for a file, and closes it.
func (s *FileServer) file(w http.ResponseWriter, r *http.Request, name string, o *opened) {
	h := w.Header()
	defer o.Close()
	if o.canVary {
		if v := s.variant(h, r, name, o); v != nil {
			defer v.Close()
			o = v
		}
	}
	h["X-Content-Type-Options"] = nosniff
	s.send(w, r, o)
}

// variant is a compressed form of a file that the client would rather have.
func (s *FileServer) variant(h http.Header, r *http.Request, name string, o *opened) *opened {
	weights, identity := weigh(r.Header)
	best, at := identity, -1
	for i, c := range codings {
		found, err := s.Files.Stat(name + c.ext)
		if err != nil || !found.Mode().IsRegular() || found.ModTime().Before(o.modified) {
			continue
		}
		h["Vary"] = variesByEncoding
		if weights[i] > best || at < 0 && weights[i] == best && best > 0 {
			best, at = weights[i], i
		}
	}
	if at < 0 {
		return nil
	}
	v, err := s.share(r, name+codings[at].ext)
	if err != nil {
		return nil // it has gone meanwhile: the file itself will do
	}
	v.typ, v.contentEncoding = o.typ, codings[at].value
	return v
}

var variesByEncoding = []string{"Accept-Encoding"}
