package open_test

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/open"
)

func Example() {
	resp, err := open.URL(context.Background(), "data:text/plain,Hello%2C%20world")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Header.Get("Content-Type"), string(body), err)
	// Output: text/plain Hello, world <nil>
}
