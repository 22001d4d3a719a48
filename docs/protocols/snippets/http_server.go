package snippets

import (
	"context"
	"io/fs"
	"net"

	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// HTTPServer serves a tree of files, until ctx ends.
func HTTPServer(ctx context.Context, l net.Listener, tree fs.FS) error {
	files := &web.FileServer{Files: web.ReadOnly(tree)} // any http.Handler will do
	srv := server.Server{Handler: &web.Handler{HTTP: files}}
	return srv.Serve(ctx, l)
}
