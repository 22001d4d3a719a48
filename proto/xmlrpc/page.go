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
{{range $m := .Methods}}<dt id="{{.Name}}">{{range $i, $f := .Forms}}{{if $i}}<br>{{end}}{{.Result}} <strong>{{$m.Name}}</strong>({{.Takes}}){{end}}</dt><dd>{{.Help}}</dd>
{{end}}</dl>
</body></html>
`

type described struct {
	Name  string
	Forms []form
	Help  string
}

// form is one way to call a method.
type form struct{ Result, Takes string }

// forms are those of its Signatures, or of the function.
func (m Method) forms() []form {
	all := m.Signatures
	if len(all) == 0 {
		all = [][]string{m.signature()}
	}
	var out []form
	for _, kinds := range all {
		if len(kinds) == 0 { // not even of a result
			continue
		}
		f := form{kinds[0], strings.Join(kinds[1:], ", ")}
		if m.Signatures == nil && m.rest {
			f.Takes = strings.TrimPrefix(m.wants(), "it takes ")
		}
		out = append(out, f)
	}
	return out
}

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
		about.Methods = append(about.Methods, described{name, m.forms(), m.Help})
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
