package ftptest_test

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
)

// bench stands in for the *testing.T that a test has.
type bench struct{ cleanup []func() }

func (*bench) Helper()                   {}
func (*bench) Failed() bool              { return false }
func (*bench) Logf(string, ...any)       {}
func (*bench) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (b *bench) Cleanup(f func())        { b.cleanup = append(b.cleanup, f) }
func (b *bench) end() {
	for _, f := range slices.Backward(b.cleanup) {
		f()
	}
}

func ExampleNew() {
	t := &bench{}
	defer t.end()
	ctx := context.Background()

	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"pub/hello.txt": "hello, world\n"}})
	c := s.Client(ctx, t, "starttls", s.Options())
	body, err := c.Retrieve(ctx, "pub/hello.txt", ftp.RetrieveOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(body)
	fmt.Printf("%s%v\n", text, err)
	// Output:
	// hello, world
	// <nil>
}
