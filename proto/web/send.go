package web

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"time"
)

// send answers GET or HEAD for what is open.
func (s *FileServer) send(w http.ResponseWriter, r *http.Request, o *opened) {
	h := w.Header()
	if o.etag != nil {
		h["Etag"] = o.etag
	}
	if o.lastModified != nil {
		h["Last-Modified"] = o.lastModified
	}
	switch judge(r, o.version) {
	case notModified:
		w.WriteHeader(http.StatusNotModified)
		return
	case failed:
		refuse(w, http.StatusPreconditionFailed, "")
		return
	}
	h["Content-Type"] = o.typ
	if o.contentEncoding != nil {
		h["Content-Encoding"] = o.contentEncoding
	}
	seekable := true
	if o.file != nil {
		_, seekable = o.file.(io.Seeker)
	}
	if seekable {
		h["Accept-Ranges"] = acceptsAny
		if value, ok := field(r.Header, "Range"); ok && r.Method == http.MethodGet && inRange(r.Header, o.version, time.Now()) {
			if s.sendRanges(w, r, o, value) {
				return
			}
		}
	}
	h["Content-Length"] = o.length
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	s.copy(w, r, o, span{0, o.size})
}

// sendRanges answers with parts, or that there are none; false: the whole is
// to be sent.
func (s *FileServer) sendRanges(w http.ResponseWriter, r *http.Request, o *opened, value string) bool {
	h := w.Header()
	spans, made := choose(value, o.size)
	switch made {
	case whole:
		return false
	case unsatisfiable:
		h["Content-Range"] = []string{ContentRange{-1, -1, o.size}.String()}
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "")
		return true
	}
	if len(spans) == 1 {
		h["Content-Range"] = []string{spans[0].contentRange(o.size).String()}
		h["Content-Length"] = []string{strconv.FormatInt(spans[0].length, 10)}
		w.WriteHeader(http.StatusPartialContent)
		s.copy(w, r, o, spans[0])
		return true
	}
	s.sendParts(w, r, o, spans)
	return true
}

// sendParts answers with several ranges (RFC 9110 section 14.6).
func (s *FileServer) sendParts(w http.ResponseWriter, r *http.Request, o *opened, spans []span) {
	h := w.Header()
	var head counter
	m := multipart.NewWriter(&head)
	total := int64(0)
	for _, one := range spans {
		if _, err := m.CreatePart(partHeader(o, one)); err != nil {
			return // a counter takes everything
		}
		total += one.length
	}
	_ = m.Close() // as above
	h["Content-Type"] = []string{"multipart/byteranges; boundary=" + m.Boundary()}
	h["Content-Length"] = []string{strconv.FormatInt(int64(head)+total, 10)}
	w.WriteHeader(http.StatusPartialContent)
	parts := multipart.NewWriter(w)
	_ = parts.SetBoundary(m.Boundary()) // it comes from there
	for _, one := range spans {
		if _, err := parts.CreatePart(partHeader(o, one)); err != nil {
			return
		}
		if !s.copy(w, r, o, one) {
			return
		}
	}
	_ = parts.Close() // whoever has gone does not miss it
}

func partHeader(o *opened, one span) textproto.MIMEHeader {
	return textproto.MIMEHeader{"Content-Type": o.typ, "Content-Range": {one.contentRange(o.size).String()}}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// copy sends a part of a file; false: not all of it. Then net/http, which knows
// how much was announced, ends the connection.
func (s *FileServer) copy(w http.ResponseWriter, r *http.Request, o *opened, part span) bool {
	if o.file == nil {
		n, err := w.Write(o.data[part.start : part.start+part.length])
		return err == nil && int64(n) == part.length
	}
	c := sendsFiles(r)
	if c != nil {
		c.head(w)
	}
	if o.kept != nil {
		n, err := io.CopyN(w, io.NewSectionReader(o.kept.File, part.start, part.length), part.length)
		return err == nil && n == part.length
	}
	if part.start != o.at {
		if _, err := o.file.(io.Seeker).Seek(part.start, io.SeekStart); err != nil {
			return false
		}
	}
	n, err := io.CopyN(w, o.file, part.length)
	o.at = part.start + n
	return err == nil && n == part.length
}
