package nntp_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/nntp"
)

func ExampleParseWildmat() {
	w, err := nntp.ParseWildmat("local.*,!local.test*,local.test.new")
	fmt.Println(w.Match("local.talk"), w.Match("local.test.old"), w.Match("local.test.new"), err)
	// Output: true false true <nil>
}
