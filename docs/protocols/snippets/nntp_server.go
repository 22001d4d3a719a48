package snippets

import (
	"context"
	"net"

	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/server"
)

// NNTPServer lets everybody read and post in the one group that it makes,
// until ctx ends.
func NNTPServer(ctx context.Context, l net.Listener, groups *newsgroup.Store) error {
	if err := groups.Create(ctx, newsgroup.NewGroup{Name: "local.test"}); err != nil {
		return err
	}
	h := &nntp.Handler{Backend: &news.Backend{Store: groups}, Host: "news.example"}
	srv := server.Server{Handler: h, Limits: server.Limits{Idle: nntp.Idle}}
	return srv.Serve(ctx, l)
}
