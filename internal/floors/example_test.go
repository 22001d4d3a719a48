package floors_test

import (
	"fmt"
	"testing/fstest"

	"github.com/farend-go/farend/internal/floors"
)

func Example() {
	tree, err := floors.Load(fstest.MapFS{
		"go.mod":       {Data: []byte("module example.org/house\n")},
		"wire/wire.go": {Data: []byte("package wire\n\nimport _ \"example.org/house/server\"\n")},
		"server/s.go":  {Data: []byte("package server\n\nimport _ \"example.org/house/wire\"\n")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	bad, err := tree.CheckImports("wire <\nserver < wire")
	fmt.Println(bad, err)
	// Output:
	// [wire/wire.go imports server, which the plan does not allow to wire] <nil>
}
