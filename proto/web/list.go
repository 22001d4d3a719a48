package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Entry is a line of a listing in JSON, which is an array of them: nginx's
// form (ngx_http_autoindex_module).
type Entry struct {
	Name  string `json:"name"`
	Type  string `json:"type"`           // "file" or "directory"
	MTime string `json:"mtime"`          // as in Last-Modified
	Size  *int64 `json:"size,omitempty"` // of a file
}

var (
	variesByAccept = []string{"Accept"}
	noCache        = []string{"no-cache"}
	jsonType       = []string{"application/json"}
	htmlType       = []string{text("html")}
)

// list answers with what is in a directory: directories first.
func (s *FileServer) list(w http.ResponseWriter, r *http.Request, name string) {
	found, err := s.Files.ReadDir(name)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	infos := make([]fs.FileInfo, 0, len(found))
	for _, d := range found {
		if info, err := d.Info(); err == nil { // or it has gone meanwhile
			infos = append(infos, info)
		}
	}
	slices.SortStableFunc(infos, func(a, b fs.FileInfo) int {
		if a.IsDir() != b.IsDir() {
			if a.IsDir() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name(), b.Name())
	})
	h := w.Header()
	h["Vary"], h["Cache-Control"], h["X-Content-Type-Options"] = variesByAccept, noCache, nosniff
	write := listHTML
	h["Content-Type"] = htmlType
	if wantsJSON(r) {
		h["Content-Type"], write = jsonType, listJSON
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	b := bufio.NewWriter(w)
	write(b, name, infos)
	_ = b.Flush() // whoever has gone does not miss it
}

func listJSON(w io.Writer, _ string, infos []fs.FileInfo) {
	entries := make([]Entry, 0, len(infos))
	for _, i := range infos {
		e := Entry{Name: i.Name(), Type: "directory", MTime: i.ModTime().UTC().Format(http.TimeFormat)}
		if !i.IsDir() {
			size := i.Size()
			e.Type, e.Size = "file", &size
		}
		entries = append(entries, e)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(true)
	_ = out.Encode(entries) // texts and numbers only; whoever has gone does not miss it
}

// nameWidth is the column in which a listing's times begin.
const nameWidth = 50

// listHTML writes a page as nginx does, which every mirror can read. Times are
// in UTC.
func listHTML(w io.Writer, name string, infos []fs.FileInfo) {
	title := "/"
	if name != "." {
		title = "/" + name + "/"
	}
	title = html.EscapeString(title)
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Index of %s</title></head>\n<body><h1>Index of %s</h1><hr><pre>", title, title)
	if name != "." {
		fmt.Fprint(w, "<a href=\"../\">../</a>\n")
	}
	for _, i := range infos {
		shown, size := i.Name(), fmt.Sprint(i.Size())
		if i.IsDir() {
			shown, size = shown+"/", "-"
		}
		pad := max(1, nameWidth-len([]rune(shown)))
		fmt.Fprintf(w, "<a href=\"%s\">%s</a>%*s%s%20s\n", html.EscapeString(link(shown)), html.EscapeString(shown), pad, " ", i.ModTime().UTC().Format("02-Jan-2006 15:04"), size)
	}
	fmt.Fprint(w, "</pre><hr></body></html>\n")
}

// link is a name as a relative reference: one that no colon makes absolute
// (RFC 3986 section 4.2).
func link(name string) string {
	u := url.URL{Path: name}
	return u.String()
}
