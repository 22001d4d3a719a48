package smtptest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
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

	srv := smtptest.New(t)
	c := srv.Client(ctx, t, "starttls", srv.Options())
	m, err := smtp.NewMessage("shop@example.test", []string{"ann@example.test"}, strings.NewReader("Subject: Confirm\n\nPlease do.\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Send(ctx, m)
	fmt.Println(err)

	got, err := srv.WaitFor(ctx, func(m smtptest.Message) bool { return m.IsFor("ann@example.test") })
	fmt.Printf("%s: %q %v\n", got.Header("Subject"), got.Text(), err)
	// Output:
	// <nil>
	// Confirm: "Please do.\r\n" <nil>
}
