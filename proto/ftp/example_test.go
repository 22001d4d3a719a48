package ftp_test

import (
	"fmt"
	"time"

	"github.com/farend-go/farend/proto/ftp"
)

func ExampleParseList() {
	e, err := ftp.ParseList("04-14-00  03:47PM                  589 readme.htm", time.Now())
	fmt.Println(e.Name, e.Size, e.Time.Format(time.DateTime), err)
	// Output: readme.htm 589 2000-04-14 15:47:00 <nil>
}
