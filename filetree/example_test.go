package filetree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/farend-go/farend/filetree"
)

// A file is not there until it is whole.
func Example() {
	tree := filetree.Memory(filetree.Options{Quota: 20})
	u, err := tree.Create(context.Background(), "news.txt", filetree.CreateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer u.Abort()
	_, _ = io.WriteString(u, "It is here.")
	_, err = tree.Stat("news.txt")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	fmt.Println(u.Commit())
	b, err := fs.ReadFile(tree, "news.txt")
	fmt.Printf("%s %v\n", b, err)

	_, err = tree.Create(context.Background(), "more.txt", filetree.CreateOptions{Size: 10})
	fmt.Println(err)
	_, err = tree.Open("../etc/passwd")
	fmt.Println(err)
	// Output:
	// true
	// <nil>
	// It is here. <nil>
	// create more.txt: quota exceeded
	// open ../etc/passwd: invalid argument
}

func ExampleSample() {
	tree, err := filetree.Sample(filetree.Options{ReadOnly: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			fmt.Println(name)
		}
		return err
	})
	// Output:
	// README.txt
	// docs/dots.txt
	// docs/protocols.txt
	// pictures/dot.gif
}
