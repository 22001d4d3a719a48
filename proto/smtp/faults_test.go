package smtp_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/server"
)

// TestUnderFaults has both ends talk over connections that misbehave, by seeds.
// What the client was told is there must be there, and nothing else than what
// was sent ever is.
func TestUnderFaults(t *testing.T) {
	body := "Subject: x\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 200) + ".\r\n"
	var wg sync.WaitGroup
	for seed := range uint64(40) {
		rules := faults.Mix(seed)
		srv := smtptest.NewWith(t, smtptest.Options{Server: func(s *server.Server) {
			s.Layers = []conv.Layer{faults.Layer(rules...)}
			s.Limits.Turn, s.Limits.Idle, s.Limits.Drain = time.Second, time.Second, time.Millisecond
		}})
		wg.Go(func() {
			if err := underFaults(t.Context(), srv, body, seed); err != nil {
				t.Errorf("seed %d: %v; rules %v", seed, err, rules)
			}
		})
	}
	wg.Wait()
}

func underFaults(ctx context.Context, srv *smtptest.Server, body string, seed uint64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	told := faulty(ctx, srv, body, seed)
	found := map[string]int{}
	for _, m := range srv.Messages() {
		if !strings.HasSuffix(string(m.Data), "\r\n"+body) {
			return fmt.Errorf("%q is there", m.Data)
		}
		found[m.From.Mailbox.Local]++
	}
	for _, name := range told {
		if found[name] != 1 {
			return fmt.Errorf("the message of %s is there %d times", name, found[name])
		}
	}
	return nil
}

// faulty sends messages until something fails, and gives the senders whose
// message the server has taken.
func faulty(ctx context.Context, srv *smtptest.Server, body string, seed uint64) (told []string) {
	c, err := smtp.Dial(ctx, srv.Endpoint("tcp"), smtp.Options{Security: smtp.InClear})
	if err != nil {
		return nil
	}
	defer c.Close()
	if seed%2 == 0 {
		c.Lack("CHUNKING")
	}
	for i := range 3 {
		name := fmt.Sprintf("s%d", i)
		m, err := smtp.NewMessage(name+"@example.test", []string{"a@b", "c@d"}, strings.NewReader(body))
		if err != nil {
			return told
		}
		if _, err := c.Send(ctx, m); err != nil {
			return told
		}
		told = append(told, name)
	}
	return told
}

// TestCutAfterDot lets the connection break at exact bytes around the end of a
// message: a yes is never heard of a message that is not there.
func TestCutAfterDot(t *testing.T) {
	for _, do := range []faults.Deed{faults.Reset, faults.Close, faults.Cut} {
		for _, dir := range []faults.Dir{faults.In, faults.Out} {
			for after := int64(0); after < 40; after += 9 {
				srv := smtptest.NewWith(t, smtptest.Options{
					Faults: []faults.Rule{{Verb: "DATA", Do: do, Dir: dir, After: after, Times: 1}},
					Server: func(s *server.Server) { s.Limits.Drain = time.Millisecond },
				})
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
				c.Lack("CHUNKING")
				_, err := c.Send(ctx, message(t, strings.NewReader("Subject: x\r\n\r\nabc\r\n"), "a@b"))
				if err == nil && len(srv.Messages()) != 1 {
					t.Errorf("%v %v after %d: the client heard yes of %d messages", do, dir, after, len(srv.Messages()))
				}
				for _, m := range srv.Messages() {
					if !bytes.HasSuffix(m.Data, []byte("\r\n\r\nabc\r\n")) {
						t.Errorf("%v %v after %d: %q", do, dir, after, m.Data)
					}
				}
				cancel()
			}
		}
	}
}

// TestAnswers has rules answer in the session's place, and both ends stay in
// step.
func TestAnswers(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Faults: []faults.Rule{
		{Service: "smtp", Verb: "BDAT", N: 1, Reply: "451 4.3.0 later"},
		{Service: "smtp", Verb: "MAIL", N: 4, Reply: "421 4.3.2 gone"},
		{Service: "smtp", Verb: "RCPT", N: 3, Reply: "450 4.2.1 busy"},
	}})
	ctx := within(t)
	c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
	for i, code := range []int{451, 0, 450, 421} {
		_, err := c.Send(ctx, message(t, strings.NewReader("MAIL FROM:<x@y>\r\n"), "a@b"))
		if code == 0 && err != nil || code != 0 && !isReply(err, code) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if !c.Broken() || len(srv.Messages()) != 1 {
		t.Errorf("%v, %d messages", c.Broken(), len(srv.Messages()))
	}
}
