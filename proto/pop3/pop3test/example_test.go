package pop3test_test

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
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

	s := pop3test.New(t, pop3test.Options{Messages: []string{"Subject: hello\n\nworld\n"}})
	c := s.Client(ctx, "starttls")
	for m, err := range c.New(ctx, &pop3.MemoryJournal{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(m.Body)
		fmt.Printf("%d %s %q %v\n", m.Number, m.UID, text, err)
		m.Delete()
	}
	fmt.Println(c.Quit(ctx))
	s.Wait(ctx, pop3test.User)
	fmt.Println(len(s.Messages(pop3test.User)), "left")
	// Output:
	// 1 uid-1 "Subject: hello\r\n\r\nworld\r\n" <nil>
	// <nil>
	// 0 left
}
