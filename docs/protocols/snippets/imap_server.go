package snippets

import (
	"context"
	"net"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
)

// IMAPServer shows ann her mail, until ctx ends.
func IMAPServer(ctx context.Context, l net.Listener, boxes *mailbox.Store) error {
	post := &mail.Post{Store: boxes, Directory: mail.Directory{Users: []string{"ann"}}}
	users := &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}
	h := &imap.Handler{Backend: post.IMAP(), Auth: &auth.Authenticator{Accounts: users}}
	srv := server.Server{Handler: h, Limits: server.Limits{Idle: 30 * time.Minute}}
	return srv.Serve(ctx, l)
}
