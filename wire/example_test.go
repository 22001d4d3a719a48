package wire_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/farend-go/farend/wire"
)

func Example() {
	var r wire.Reader
	r.Init(wire.Over(strings.NewReader("RETR 1\r\n..a dot\r\nand text\r\n.\r\nQUIT\r\n"), &r), 0)

	line, err := r.Line()
	fmt.Printf("%q %v\n", line, err)
	body, err := io.ReadAll(r.Block())
	fmt.Printf("%q %v\n", body, err)
	line, err = r.Line()
	fmt.Printf("%q %v\n", line, err)
	_, err = r.Line()
	fmt.Println(err)
	// Output:
	// "RETR 1" <nil>
	// ".a dot\r\nand text\r\n" <nil>
	// "QUIT" <nil>
	// EOF
}

func ExampleReply() {
	r := wire.Reply{Code: 250, Lines: []string{"mail.example", "SIZE 1000"}}
	fmt.Printf("%q", r.Append(nil))
	// Output: "250-mail.example\r\n250 SIZE 1000\r\n"
}
