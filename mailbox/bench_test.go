package mailbox_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store/diskstore"
)

// benchMail is mail on a disk: below FAREND_BENCH_DIR, where the temporary
// directory is none.
func benchMail(b *testing.B) (*mailbox.Store, *diskstore.Engine) {
	dir, err := os.MkdirTemp(os.Getenv("FAREND_BENCH_DIR"), "mailbox")
	if err != nil {
		b.Fatal(err)
	}
	e, err := diskstore.Open(dir, diskstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		e.Close()
		os.RemoveAll(dir)
	})
	return mailbox.New(e, mailbox.Options{AnyAccount: true}), e
}

func benchBody(ctx context.Context, s *mailbox.Store, text []byte) (*mailbox.Body, error) {
	body, err := s.NewBody(ctx, int64(len(text)))
	if err != nil {
		return nil, err
	}
	_, err = body.Write(text)
	return body, err
}

// BenchmarkLarge is a mailbox of 100,000 messages.
func BenchmarkLarge(b *testing.B) {
	const n = 100_000
	ctx := context.Background()
	s, _ := benchMail(b)
	a, err := s.Account(ctx, "ann")
	if err != nil {
		b.Fatal(err)
	}
	inbox, err := a.Mailbox(ctx, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	body, err := benchBody(ctx, s, make([]byte, 4096))
	if err != nil {
		b.Fatal(err)
	}
	defer body.Close()
	messages := make([]mailbox.NewMessage, 1000)
	for i := range messages {
		messages[i] = mailbox.NewMessage{Body: body, Flags: mailbox.Seen}
	}
	for range n / len(messages) {
		if _, err := inbox.Append(ctx, messages...); err != nil {
			b.Fatal(err)
		}
	}
	last, err := inbox.Status(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("State", func(b *testing.B) {
		for b.Loop() {
			if st, err := inbox.State(ctx); err != nil || st.Messages != n {
				b.Fatal(st, err)
			}
		}
	})
	b.Run("NoChange", func(b *testing.B) {
		for b.Loop() {
			if _, err := inbox.Changes(ctx, last.ModSeq); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("LastChange", func(b *testing.B) {
		for b.Loop() {
			if c, err := inbox.Changes(ctx, last.ModSeq-1); err != nil || c.Changed.Len() != 1000 {
				b.Fatal(c, err)
			}
		}
	})
	b.Run("OldChange", func(b *testing.B) {
		for b.Loop() {
			if c, err := inbox.Changes(ctx, last.ModSeq-50); err != nil || c.Changed.Len() != 50_000 {
				b.Fatal(c, err)
			}
		}
	})
	b.Run("Messages", func(b *testing.B) {
		for b.Loop() {
			k := 0
			for range inbox.Messages(ctx, mailbox.All()) {
				k++
			}
			if k != n {
				b.Fatal(k)
			}
		}
	})
	b.Run("StoreOne", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			c := mailbox.FlagChange{Op: mailbox.Op(i % 2), Flags: mailbox.Flagged}
			if _, err := inbox.SetFlags(ctx, mailbox.One(50_000), c, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDeliver is messages of 4 KiB from senders who each wait until
// theirs is durable, to a hundred accounts.
func BenchmarkDeliver(b *testing.B) {
	for _, senders := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(senders), func(b *testing.B) {
			ctx := context.Background()
			s, e := benchMail(b)
			text := make([]byte, 4096)
			var todo atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for w := range senders {
				wg.Go(func() {
					for {
						n := todo.Add(1)
						if n > int64(b.N) {
							return
						}
						body, err := benchBody(ctx, s, text)
						if err == nil {
							_, err = s.Deliver(ctx, mailbox.NewMessage{Body: body}, []mailbox.Recipient{
								{Account: fmt.Sprint("user", n%100), Key: fmt.Appendf(nil, "%d/%d", w, n)},
							})
							body.Close()
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			st, seconds := e.Stats(), b.Elapsed().Seconds()
			b.ReportMetric(float64(st.Updates)/seconds, "messages/s")
			b.ReportMetric(float64(st.Syncs)/seconds, "syncs/s")
		})
	}
}
