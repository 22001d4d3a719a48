package message_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/farend-go/farend/message"
)

const letter = "From: =?utf-8?q?J=C3=B8ran?= <joran@example.org>\r\n" +
	"Subject: The minutes\r\n" +
	"Content-Type: multipart/mixed; boundary=cut\r\n" +
	"\r\n" +
	"--cut\r\n" +
	"Content-Type: text/plain; charset=iso-8859-1\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n" +
	"\r\n" +
	"Bl=E5b=E6r!\r\n" +
	"--cut\r\n" +
	"Content-Type: image/png\r\n" +
	"Content-Disposition: attachment; filename*=utf-8''t%C3%A5rn.png\r\n" +
	"Content-Transfer-Encoding: base64\r\n" +
	"\r\n" +
	"iVBORw0KGgo=\r\n" +
	"--cut--\r\n"

func Example() {
	file := strings.NewReader(letter)
	root, err := message.Parse(file, message.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("from", root.Envelope.From[0].Name)
	text, err := io.ReadAll(root.First("text", "plain").Text(file))
	fmt.Printf("says %s %v\n", text, err)
	for p := range root.Walk {
		if name := p.Filename(); name != "" {
			fmt.Println("with", name, p.Size())
		}
	}
	from, to, _ := root.Range([]int{2}, message.Whole) // IMAP's BODY[2]
	fmt.Println(letter[from:to])
	// Output:
	// from Jøran
	// says Blåbær! <nil>
	// with tårn.png 12
	// iVBORw0KGgo=
}

func ExampleParseAddresses() {
	list, err := message.ParseAddresses(`"Doe, Jane" <jane@example.org>, friends: a@x.example, b@x.example;, root`)
	for _, a := range list {
		fmt.Println(a.Name, a.Spec(), len(a.Members))
	}
	fmt.Println(err)
	// Output:
	// Doe, Jane jane@example.org 0
	// friends  2
	//  root 0
	// message: malformed address: no domain at octet 72
}
