package snippets

import (
	"context"
	"io/fs"
	"net"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/server"
)

// FTPServer shows a tree of files to everybody, until ctx ends.
func FTPServer(ctx context.Context, l net.Listener, tree fs.FS) error {
	srv := server.Server{Handler: &ftp.Handler{Backend: ftp.Anonymous(ftp.ReadOnly(tree))}}
	return srv.Serve(ctx, l)
}
