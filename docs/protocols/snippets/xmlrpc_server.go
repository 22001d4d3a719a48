package snippets

import (
	"context"
	"net"
	"net/http"

	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/proto/xmlrpc"
	"github.com/farend-go/farend/server"
)

// XMLRPCServer has one method, add, until ctx ends.
func XMLRPCServer(ctx context.Context, l net.Listener) error {
	add, err := xmlrpc.Func(func(a, b int) int { return a + b }, "adds two numbers")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/RPC2", &xmlrpc.Server{Methods: xmlrpc.Methods{"add": add}})
	srv := server.Server{Handler: &web.Handler{HTTP: mux}}
	return srv.Serve(ctx, l)
}
