package memstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
)

func Example() {
	ctx := context.Background()
	e := memstore.New(memstore.Options{Limit: 64})
	defer e.Close()

	err := e.Update(ctx, func(w store.Writer) error { return w.Put([]byte("colour"), []byte("red")) })
	fmt.Println(err)
	err = e.Update(ctx, func(w store.Writer) error { return w.Put([]byte("picture"), make([]byte, 100)) })
	fmt.Println(errors.Is(err, store.ErrFull))
	err = e.View(ctx, func(r store.Reader) error {
		colour, err := r.Get([]byte("colour"))
		fmt.Println(string(colour))
		return err
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// true
	// red
	// <nil>
}
