package xmlrpc

import (
	"bufio"
	"html/template"
	"io"
	"net/http"
	"strings"
)

func discard() *bufio.Writer { return bufio.NewWriterSize(io.Discard, 512) }

// pageText is the page of a server; html/template escapes what it is given.
const pageText = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}dt{font-family:monospace;margin-top:1em}</style></head>
<body>
<h1>{{.Title}}</h1>
{{with .About}}<p>{{.}}</p>
{{end}}<p>XML-RPC is spoken here by POST. The methods:</p>
<dl>
{{range .Methods}}<dt id="{{.Name}}">{{.Result}} <strong>{{.Name}}</strong>({{.Takes}})</dt><dd>{{.Help}}</dd>
{{end}}</dl>
</body></html>
`

type described struct{ Name, Result, Takes, Help string }

// page shows what there is.
func (s *Server) page(w http.ResponseWriter) {
	about := struct {
		Title, About string
		Methods      []described
	}{s.Title, s.About, nil}
	if about.Title == "" {
		about.Title = "XML-RPC"
	}
	for _, name := range s.names() {
		m, ok := s.method(name)
		if !ok {
			continue
		}
		kinds := m.signature()
		takes := strings.Join(kinds[1:], ", ")
		if m.rest {
			takes = strings.TrimPrefix(m.wants(), "it takes ")
		}
		about.Methods = append(about.Methods, described{name, kinds[0], takes, m.Help})
	}
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = page.Execute(w, about) // a client that went away is told nothing
}
