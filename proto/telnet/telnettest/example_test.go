package telnettest_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
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

	answer := func(_ *telnet.Terminal, line string) (string, bool) { return "you said " + line + "\n", line != "exit" }
	s := telnettest.New(t, answer, telnettest.Options{})
	c := s.Client(ctx, telnet.ClientOptions{})
	_, _ = c.ReadUntil(ctx, telnettest.Prompt)
	_ = c.WriteText("hello\n")
	text, err := c.ReadUntil(ctx, "\r\n")
	fmt.Printf("%q %v\n", text, err)
	// Output: "you said hello\r\n" <nil>
}
