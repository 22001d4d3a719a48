package mail_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/store/memstore"

	"github.com/farend-go/farend/auth"
)

// What comes by SMTP is there for POP3.
func Example() {
	ctx := context.Background()
	e := memstore.New(memstore.Options{})
	defer e.Close()
	p := &mail.Post{Store: mailbox.New(e, mailbox.Options{AnyAccount: true})}

	t, err := p.SMTP().Mail(ctx, smtp.Sender{}, smtp.Peer{})
	if err == nil {
		err = t.Rcpt(ctx, smtp.Recipient{Mailbox: smtp.Mailbox{Local: "ann", Domain: "example.test"}})
	}
	if err == nil {
		err = t.Body(ctx, strings.NewReader("Subject: hello\r\n\r\nAnn\r\n"))
	}
	if err == nil {
		err = t.Commit(ctx)
	}
	fmt.Println(err)

	drop, err := p.POP3().Maildrop(ctx, auth.Identity{Authorization: "ann@example.test"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer drop.Close()
	var all []pop3.Message
	all, err = drop.Messages(ctx)
	fmt.Println(len(all), all[0].Size, err)
	// Output:
	// <nil>
	// 1 23 <nil>
}
