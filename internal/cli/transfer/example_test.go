package transfer_test

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/farend-go/farend/internal/cli/transfer"
)

func Example() {
	u, err := transfer.ParseURL("data:,hello,%20world%0A")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := transfer.New(transfer.Options{Out: os.Stdout}, []*url.URL{u})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	c.Get(context.Background(), []transfer.Job{{URL: u}}, func(_ int, r transfer.Result) {
		fmt.Println(r.Bytes, r.Err)
	})
	// Output:
	// hello, world
	// 13 <nil>
}
