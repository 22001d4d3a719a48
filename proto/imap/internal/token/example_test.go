package token_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

func Example() {
	l := token.New([]byte("LOGIN {3}\r\nmrc \"a \\\"b\\\"\""))
	fmt.Println(l.Name())
	l.SP()
	fmt.Println(l.AString())
	l.SP()
	fmt.Println(l.AString())
	fmt.Println(l.End())
	// Output:
	// LOGIN
	// mrc
	// a "b"
	// <nil>
}
