package snippets

import (
	"context"
	"io/fs"
	"net"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

// GopherServer makes menus of a tree of files, until ctx ends.
func GopherServer(ctx context.Context, l net.Listener, tree fs.FS) error {
	menus := files.Gopher(filetree.FS(tree), files.GopherOptions{NoSearch: true})
	srv := server.Server{Handler: gopher.NewHandler(menus, gopher.Options{})}
	return srv.Serve(ctx, l)
}
