package pop3_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/pop3"
)

func ExampleParseReply() {
	r, err := pop3.ParseReply([]byte("-ERR [IN-USE] Do you have another POP session running?"))
	fmt.Println(r.OK, r.Code, err)
	fmt.Println(r.Text)
	// Output:
	// false IN-USE <nil>
	// Do you have another POP session running?
}
