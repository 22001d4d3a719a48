package diskstore_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	for range 2 {
		e, err := diskstore.Open(dir, diskstore.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		err = e.Update(ctx, func(w store.Writer) error {
			value, _ := w.Get([]byte("tally"))
			fmt.Printf("%q\n", value)
			return w.Put([]byte("tally"), append(slices.Clip(value), '|'))
		})
		fmt.Println(err, e.Close())
	}
	// Output:
	// ""
	// <nil> <nil>
	// "|"
	// <nil> <nil>
}
