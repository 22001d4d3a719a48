package snippets

import (
	"context"
	"net"

	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/server"
)

// SMTPServer takes mail in for ann and bob and refuses all other, until ctx
// ends.
func SMTPServer(ctx context.Context, l net.Listener, boxes *mailbox.Store) error {
	post := &mail.Post{Store: boxes, Directory: mail.Directory{Users: []string{"ann", "bob"}}}
	srv := server.Server{Handler: &smtp.Handler{Backend: post.SMTP(), Hostname: "mail.example"}}
	return srv.Serve(ctx, l)
}
