package files_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/gopher"
)

// A tree of files as gopher's menus.
func ExampleGopher() {
	tree, err := filetree.Sample(filetree.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := files.Gopher(tree, files.GopherOptions{})
	for item, err := range b.Menu(context.Background(), "") {
		fmt.Println(item.Type, item.Selector, err)
	}
	h := gopher.NewHandler(b, gopher.Options{Host: "gopher.example"}) // for a server.Server
	fmt.Println(h.Mode())
	// Output:
	// text /README.txt <nil>
	// menu /docs <nil>
	// menu /pictures <nil>
	// search search:/ <nil>
	// blocks
}
