package store_test

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
)

// A body is written first; the Update that keeps it makes it visible, together
// with the key that names it.
func Example() {
	ctx := context.Background()
	var e store.Engine = memstore.New(memstore.Options{})
	defer e.Close()

	if err := put(ctx, e, "letter/1", "Dear Bob"); err != nil {
		fmt.Println(err)
	}

	var ref store.Ref
	err := e.View(ctx, func(r store.Reader) error {
		for key, value := range r.Ascend([]byte("letter/"), []byte("letter0")) {
			fmt.Printf("%s, revision %d\n", key, r.Rev())
			ref = store.Ref(value)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	body, err := e.Blobs().Open(ctx, ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	fmt.Println(string(text), err)
	// Output:
	// letter/1, revision 1
	// Dear Bob <nil>
}

func put(ctx context.Context, e store.Engine, key, text string) error {
	w, err := e.Blobs().Create(ctx, int64(len(text)))
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	ref, err := w.Finish()
	if err != nil {
		return err
	}
	return e.Update(ctx, func(w store.Writer) error {
		if err := w.Put([]byte(key), []byte(ref)); err != nil {
			return err
		}
		return w.Keep(ref)
	})
}
