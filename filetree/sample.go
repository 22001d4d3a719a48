package filetree

import (
	"context"
	"embed"
	"io/fs"
)

//go:embed sample
var sample embed.FS

// Sample is a tree in memory with a few files in it, for a server that was
// given nothing to serve: README.txt, docs/ and pictures/.
func Sample(o Options) (Tree, error) {
	writable := o
	writable.ReadOnly = false
	t := Memory(writable).(*memTree)
	files, err := fs.Sub(sample, "sample")
	if err != nil {
		return nil, err
	}
	if err := Copy(context.Background(), t, files); err != nil {
		return nil, err
	}
	t.o.ReadOnly = o.ReadOnly
	return t, nil
}
