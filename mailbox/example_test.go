package mailbox_test

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store/memstore"
)

func Example() {
	ctx := context.Background()
	e := memstore.New(memstore.Options{})
	defer e.Close()
	mail := mailbox.New(e, mailbox.Options{AnyAccount: true})

	body, err := mail.NewBody(ctx, -1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	fmt.Fprint(body, "Subject: lunch\r\n\r\nAt noon?\r\n")
	_, err = mail.Deliver(ctx, mailbox.NewMessage{Body: body}, []mailbox.Recipient{{Account: "ann"}, {Account: "bob"}})
	if err != nil {
		fmt.Println(err)
		return
	}

	bob, err := mail.Account(ctx, "bob")
	if err != nil {
		fmt.Println(err)
		return
	}
	inbox, err := bob.Mailbox(ctx, "INBOX")
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range inbox.Messages(ctx, mailbox.All()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		c, err := inbox.Open(ctx, m)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(c)
		fmt.Printf("%d: %q %v %v\n", m.UID, text, err, c.Close())
	}
	// Output:
	// 1: "Subject: lunch\r\n\r\nAt noon?\r\n" <nil> <nil>
}
