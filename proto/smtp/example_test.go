package smtp_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/smtp"
)

func ExampleParseSender() {
	from, err := smtp.ParseSender(`FROM:<"ann x"@example.test> SIZE=1000 BODY=8BITMIME`)
	fmt.Println(from.Mailbox, from.Size, from.Body, err)

	_, err = smtp.ParseSender("FROM:ann@example.test")
	fmt.Println(err)
	// Output:
	// "ann x"@example.test 1000 8BITMIME <nil>
	// smtp: 501 5.5.4 Expected <address>
}
