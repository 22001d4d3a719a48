package treetest_test

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/filetree/treetest"
)

func ExampleWrite() {
	t := filetree.Memory(filetree.Options{})
	err := treetest.Write(context.Background(), t, "hello.txt", "Hello!\n", filetree.CreateOptions{})
	b, _ := fs.ReadFile(t, "hello.txt")
	fmt.Printf("%s%v\n", b, err)
	// Output:
	// Hello!
	// <nil>
}
