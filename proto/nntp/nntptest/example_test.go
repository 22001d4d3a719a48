package nntptest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/proto/nntp/nntptest"
)

func Example() {
	test := func(t nntptest.TB) {
		ctx := context.Background()
		s := nntptest.New(t, nntptest.Options{Articles: []string{nntptest.Article("<1@far.example>", nntptest.Group, "hello", "Hello.\n")}})
		c := s.Client(ctx, "starttls")
		id, err := c.Post(ctx, strings.NewReader("From: bob@far.example\nNewsgroups: local.test\nSubject: Re: hello\nReferences: <1@far.example>\n\nHi.\n"))
		fmt.Println(strings.Contains(s.Wait(ctx, id), "Subject: Re: hello"), err)
		g, err := c.Group(ctx, nntptest.Group)
		fmt.Println(g.Count, err)
	}
	run(test)
	// Output:
	// true <nil>
	// 2 <nil>
}

// run stands for a test.
func run(f func(nntptest.TB)) {
	var t quiet
	f(&t)
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

type quiet struct {
	testing.TB
	cleanups []func()
}

func (*quiet) Helper()            {}
func (*quiet) Failed() bool       { return false }
func (q *quiet) Cleanup(f func()) { q.cleanups = append(q.cleanups, f) }
func (*quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
