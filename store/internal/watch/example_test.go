package watch_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/farend-go/farend/store/internal/watch"
)

func Example() {
	var h watch.Hub
	h.Changed(7, slices.Values([][]byte{[]byte("inbox/1")}))
	for change, err := range h.Watch(context.Background(), []byte("inbox/"), 6) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println("changed in", change.Rev)
		h.Close()
	}
	// Output:
	// changed in 7
	// store: closed
}
