package mail

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store/memstore"
)

// What sessions were told is known of mailboxes that there are, not of all that
// ever were.
func TestToldIsBounded(t *testing.T) {
	var told told
	for n := range maxTold + 10 {
		if last := told.claim(strconv.Itoa(n), 5, false); last != 0 {
			t.Fatalf("%d: told of %d before", n, last)
		}
		if last := told.claim(strconv.Itoa(n), 9, true); last != 5 {
			t.Fatalf("%d: told of %d, want 5", n, last)
		}
	}
	if len(told.last) > maxTold {
		t.Errorf("%d mailboxes are known", len(told.last))
	}
}

// A mailbox in which the last UID that there is has been given has no next one;
// what nobody was told of is \Recent all the same.
func TestRecentWithoutNextUID(t *testing.T) {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	p := &Post{Store: mailbox.New(e, mailbox.Options{AnyAccount: true})}
	for range 2 {
		body, err := p.Store.NewBody(t.Context(), -1)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		fmt.Fprint(body, "Subject: x\r\n\r\n")
		if _, err = p.Store.Deliver(t.Context(), mailbox.NewMessage{Body: body}, []mailbox.Recipient{{Account: "ann"}}); err != nil {
			t.Fatal(err)
		}
	}
	ann, err := p.Store.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ann.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	p.told.claim(m.ID(), 1, false)
	if n, err := p.recent(t.Context(), m, mailbox.Status{Messages: 2, UIDNext: 0}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
