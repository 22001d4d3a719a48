package web

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
)

// write prepares PUT and DELETE: the name, and the conditions.
func (s *FileServer) write(w http.ResponseWriter, r *http.Request, do func(http.ResponseWriter, *http.Request, string, fs.FileInfo)) {
	name, dir, clean := nameOf(r.URL.Path)
	switch {
	case !clean:
		refuse(w, http.StatusBadRequest, "the path has . or .. or // in it")
		return
	case dir && r.Method == http.MethodPut:
		refuse(w, http.StatusConflict, "that is the name of a directory")
		return
	}
	info, err := s.Files.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(w, r, err)
		return
	}
	var v version
	if err == nil && conditional(r.Header) {
		if v, err = s.version(name, info); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	switch judge(r, v) {
	case failed:
		refuse(w, http.StatusPreconditionFailed, "")
	case malformed:
		refuse(w, http.StatusBadRequest, "malformed condition")
	default:
		do(w, r, name, info)
	}
}

// version is what conditions on a file or directory are judged by.
func (s *FileServer) version(name string, info fs.FileInfo) (version, error) {
	if info.IsDir() {
		return version{exists: true, modified: info.ModTime()}, nil
	}
	o, err := s.open(name)
	if err != nil {
		return version{}, err
	}
	defer o.Close()
	return o.version, nil
}

// put stores a file (RFC 9110 section 9.3.4): all of it or nothing.
func (s *FileServer) put(w http.ResponseWriter, r *http.Request, name string, old fs.FileInfo) {
	c, ok := s.Files.(Creator)
	switch {
	case !ok:
		s.notAllowed(w)
		return
	case len(r.Header["Content-Range"]) > 0:
		refuse(w, http.StatusBadRequest, "a part of a file cannot be put (RFC 9110 section 9.3.4)")
		return
	case r.Header.Get("Content-Encoding") != "" && r.Header.Get("Content-Encoding") != "identity":
		refuse(w, http.StatusUnsupportedMediaType, "put the file as it is to be: no Content-Encoding")
		return
	case old != nil && old.IsDir():
		refuse(w, http.StatusConflict, "that is a directory")
		return
	}
	o := CreateOptions{Size: max(0, r.ContentLength)}
	if conditional(r.Header) {
		o.IfAbsent, o.IfMatch = old == nil, old
	}
	if err := s.receive(r, c, name, o); err != nil {
		s.fail(w, r, err)
		return
	}
	s.cache.forget(name)
	if info, err := s.Files.Stat(name); err == nil {
		if v, err := s.version(name, info); err == nil && v.tag.Opaque != "" {
			w.Header()["Etag"] = []string{v.tag.String()}
		}
	}
	if old != nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header()["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusCreated)
}

func (s *FileServer) receive(r *http.Request, c Creator, name string, o CreateOptions) error {
	up, err := c.Create(r.Context(), name, o)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.parents(path.Dir(name)); err == nil {
			up, err = c.Create(r.Context(), name, o)
		}
	}
	if err != nil {
		return err
	}
	defer up.Abort() //nolint:errcheck // does nothing after Commit; before it the first error leads
	if _, err := io.Copy(struct{ io.Writer }{up}, r.Body); err != nil {
		return err
	}
	return up.Commit()
}

// parents makes the directories above a file.
func (s *FileServer) parents(name string) error {
	m, ok := s.Files.(Mkdirer)
	if !ok || name == "." {
		return fs.ErrNotExist
	}
	info, err := s.Files.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return Status(http.StatusConflict) // a file, where a directory would have to be
	}
	if err := s.parents(path.Dir(name)); err != nil && path.Dir(name) != "." {
		return err
	}
	if err := m.Mkdir(name); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// delete removes a file or an empty directory (RFC 9110 section 9.3.5).
func (s *FileServer) delete(w http.ResponseWriter, r *http.Request, name string, old fs.FileInfo) {
	rm, ok := s.Files.(Remover)
	if !ok {
		s.notAllowed(w)
		return
	}
	if old == nil {
		refuse(w, http.StatusNotFound, "")
		return
	}
	var as fs.FileInfo
	if conditional(r.Header) {
		as = old
	}
	if err := rm.Remove(name, as); err != nil {
		s.fail(w, r, err)
		return
	}
	s.cache.forget(name)
	w.WriteHeader(http.StatusNoContent)
}
