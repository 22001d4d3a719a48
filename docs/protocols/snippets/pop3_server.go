package snippets

import (
	"context"
	"net"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/server"
)

// POP3Server shows ann her mail, until ctx ends.
func POP3Server(ctx context.Context, l net.Listener, boxes *mailbox.Store) error {
	post := &mail.Post{Store: boxes, Directory: mail.Directory{Users: []string{"ann"}}}
	users := &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}
	h := &pop3.Handler{Backend: post.POP3(), Auth: &auth.Authenticator{Accounts: users}}
	srv := server.Server{Handler: h, Limits: server.Limits{Idle: pop3.Idle}}
	return srv.Serve(ctx, l)
}
