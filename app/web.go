package app

import (
	"net/http"

	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// webServices are http and https, which serve the tree of files and the pages
// that programs ask for.
func webServices() []Service {
	var out []Service
	for _, p := range web.Protocols() {
		s := Service{Protocol: p, Serve: 8080, UsesTree: true, LoginToWrite: true, Veil: web.Veil, Try: "curl %s/"}
		s.Stream = func(a *App, _ Address) server.Handler { return &web.Handler{HTTP: a.site(), Log: a.log()} }
		s.NextProtos = web.NextProtos()
		if p.Name == "https" {
			s.Serve, s.TLS, s.UsesTLS, s.Try = 8443, true, true, "curl --cacert CA_FILE %s/"
		}
		out = append(out, s)
	}
	return out
}

// site is what is found at the paths of our URLs.
type site struct {
	pages map[string]http.Handler // at one path each
	files http.Handler            // at all others
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if page := s.pages[r.URL.Path]; page != nil {
		page.ServeHTTP(w, r)
		return
	}
	s.files.ServeHTTP(w, r)
}

// site makes what http and https serve, once for all of their listeners.
func (a *App) site() http.Handler {
	if a.web == nil {
		files := &web.FileServer{Files: files.Web(a.tree, a.canWrite()), Log: a.log()}
		a.web = &site{files: a.guard(files), pages: map[string]http.Handler{rpcPath: a.remoteProcedures()}}
	}
	return a.web
}

// canWrite tells whether what is served may be changed.
func (a *App) canWrite() bool { return a.cfg.Root == "" || a.cfg.Writable }

// guard asks who wants to change something for a login, where there are users.
func (a *App) guard(next http.Handler) http.Handler {
	if len(a.cfg.Users) == 0 {
		return next
	}
	return a.accounts.Web("farend", next)
}
