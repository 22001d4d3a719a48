package imaptest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
)

// t stands for the *testing.T of a test.
type t struct{ cleanup []func() }

func (*t) Helper()                   {}
func (t *t) Cleanup(f func())        { t.cleanup = append(t.cleanup, f) }
func (*t) Failed() bool              { return false }
func (*t) Logf(string, ...any)       {}
func (*t) Fatalf(f string, a ...any) { log.Fatalf(f, a...) }

func Example() {
	ctx, t := context.Background(), &t{}
	defer func() {
		for i := range t.cleanup {
			t.cleanup[len(t.cleanup)-1-i]()
		}
	}()
	s := imaptest.New(t, imaptest.Options{Messages: []string{"Subject: hello\n\nworld\n"}})

	c := s.Client(ctx, "starttls")
	box, err := c.Select(imap.Select{Name: "INBOX"}).Wait(ctx)
	fmt.Println(box.Exists, err)
	all := imap.Set{{First: 1}} // to the last
	items := []imap.FetchItem{{Name: imap.ItemEnvelope}}
	for m, err := range c.Fetch(ctx, imap.Fetch{Where: imap.Where{UID: true, Set: all}, Items: items}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.UID, m.Envelope.Subject)
	}
	fmt.Println(c.Logout(ctx))
	// Output:
	// 1 <nil>
	// 1 hello
	// <nil>
}
