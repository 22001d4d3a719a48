package gophertest_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/proto/gopher/gophertest"
)

// test stands for the *testing.T of a test.
type test struct{ cleanups []func() }

func (t *test) Helper()                   {}
func (t *test) Context() context.Context  { return context.Background() }
func (t *test) Cleanup(f func())          { t.cleanups = append(t.cleanups, f) }
func (t *test) Failed() bool              { return false }
func (t *test) Logf(f string, a ...any)   { fmt.Printf(f+"\n", a...) }
func (t *test) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (t *test) end() {
	for _, f := range t.cleanups {
		f()
	}
}

// A server for the time of a test.
func Example() {
	t := &test{}
	defer t.end()
	s := gophertest.New(t, map[string]string{"hello.txt": "Hello!\n"}, gophertest.Options{})
	for item, err := range s.Client().Menu(t.Context(), s.URL) {
		if item.Type == gopher.Text {
			fmt.Println(item.Name, item.Port == s.URL.Port, err)
		}
	}
	// Output: hello.txt true <nil>
}
