package mail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// The stress is as long as FAREND_STRESS says ("60s"), else a few rounds. Its
// seed is FAREND_SEED.
const (
	stressClients = 10
	stressSteps   = 15 // of each client in a round
	stressRounds  = 4
)

// slip puts a message into an INBOX past all protocols.
func (w *world) slip(account string, n int64) error {
	ctx := context.Background()
	body, err := w.post.Store.NewBody(ctx, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.WriteString(body, letter(n)); err != nil {
		return err
	}
	done, err := w.post.Store.Deliver(ctx, mailbox.NewMessage{Body: body}, []mailbox.Recipient{{Account: account}})
	if err == nil {
		err = done[0].Err
	}
	return err
}

// send delivers messages by SMTP, to one who moves them about and to one who
// keeps all.
func (w *world) send(number *atomic.Int64, messages int, kept func(n int64)) error {
	ctx := context.Background()
	c, err := smtp.Dial(ctx, "tcp:"+w.smtp, smtp.Options{Security: smtp.InClear})
	if err != nil {
		return err
	}
	defer c.Close()
	for range messages {
		n := number.Add(1)
		m, err := smtp.NewMessage("a@x.test", []string{"stress@x.test", "keep@x.test"}, strings.NewReader(letter(n)))
		if err != nil {
			return err
		}
		if _, err := c.Send(ctx, m); err != nil {
			return err
		}
		kept(n)
	}
	return c.Quit(ctx)
}

// fetchMail has a POP3 client read some messages and delete them.
func (w *world) fetchMail(r *rand.Rand) error {
	ctx := context.Background()
	c, err := pop3.Dial(ctx, "tcp:"+w.pop3, pop3.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, auth.Credentials{User: "stress", Password: "any"}); err != nil {
		return err
	}
	count, _, err := c.Stat(ctx)
	if err != nil {
		return err
	}
	for n := 1; n <= min(count, 5); n++ {
		var reply pop3.Reply
		body, err := c.Retrieve(ctx, n)
		if err == nil {
			_, err = io.Copy(io.Discard, body)
		}
		if err != nil && !errors.As(err, &reply) { // another client may have moved it
			return err
		}
		if r.IntN(2) == 0 {
			if err := c.Delete(ctx, n); err != nil {
				return err
			}
		}
	}
	return c.Quit(ctx)
}

func TestStress(t *testing.T) {
	o := mailbox.Options{Mailboxes: []mailbox.NewMailbox{
		{Name: "Work"}, {Name: "Tmp/a"}, {Name: "Ring/1"}, {Name: "Ring/2"}, {Name: "Ring/3"},
	}}
	end, err := time.ParseDuration(os.Getenv("FAREND_STRESS"))
	for _, kept := range slices.Sorted(maps.Keys(stores)) {
		for _, engine := range slices.Sorted(maps.Keys(engines)) {
			if err != nil && (kept == "disk") == (engine == "events") {
				continue // each is seen once, where nobody asked for more
			}
			t.Run(kept+"/"+engine, func(t *testing.T) {
				s := newStress(t, newWorld(t, kept, engine, o, nil))
				began := time.Now()
				for round := 0; !t.Failed() && (round < stressRounds || err == nil && time.Since(began) < end); round++ {
					s.round(t)
				}
				if !t.Failed() {
					s.account(t)
				}
			})
		}
	}
}

type stress struct {
	w       *world
	clients []*stresser
	number  atomic.Int64
	ledger  *ledger
	rounds  int

	mu   sync.Mutex
	kept []int64 // what SMTP took for the one who keeps all
}

func newStress(t *testing.T, w *world) *stress {
	seed := uint64(1)
	if text := os.Getenv("FAREND_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	s := &stress{w: w, ledger: newLedger()}
	w.account(t, "stress")
	for i := range stressClients {
		c := &stresser{
			believer: believer{ledger: s.ledger, condstore: i%3 > 0, qresync: i%3 == 2},
			world:    w, rand: rand.New(rand.NewPCG(seed, uint64(i))), number: &s.number,
			counts: map[string]int{}, left: map[uint32]left{}, names: map[uint32]string{},
		}
		if err := c.connect(w.imap); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.nc.Close() })
		s.clients = append(s.clients, c)
	}
	return s
}

// round has all do something at once, and then compares what each believes.
func (s *stress) round(t *testing.T) {
	s.rounds++
	var wg sync.WaitGroup
	for i, c := range s.clients {
		wg.Go(func() {
			for range stressSteps {
				if err := c.step(); err != nil {
					t.Errorf("round %d, client %d in %q: %v\n%s", s.rounds, i, c.box, err, strings.Join(c.said, "\n"))
					return
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			err := s.w.send(&s.number, 5, func(n int64) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.kept = append(s.kept, n)
			})
			if err != nil {
				t.Errorf("SMTP: %v", err)
			}
		})
	}
	wg.Go(func() {
		if err := s.w.fetchMail(rand.New(rand.NewPCG(3, uint64(s.rounds)))); err != nil {
			t.Errorf("POP3: %v", err)
		}
	})
	wg.Wait()
	for i, c := range s.clients {
		if t.Failed() {
			return
		}
		if err := s.compare(c); err != nil {
			t.Errorf("round %d, client %d in %q: %v\n%s", s.rounds, i, c.box, err, strings.Join(c.said, "\n"))
		}
	}
}

// compare compares what a client believes with what a new one sees.
func (s *stress) compare(c *stresser) error {
	if c.box == "" {
		return nil
	}
	err := c.run("NOOP")
	if errors.Is(err, errGone) && !c.inRing() {
		c.nc.Close()
		return c.connect(s.w.imap)
	}
	if err != nil {
		return err
	}
	fresh := &stresser{believer: believer{ledger: s.ledger}, counts: c.counts}
	if err := fresh.connect(s.w.imap); err != nil {
		return err
	}
	defer fresh.nc.Close()
	for _, box := range allBoxes { // it may have been renamed
		if err := fresh.run("EXAMINE %s", box); err != nil {
			return err
		}
		if fresh.validity == c.validity {
			break
		}
	}
	fresh.box = c.box
	if err := fresh.must("UID FETCH 1:* (UID FLAGS EMAILID)"); err != nil {
		return err
	}
	if len(fresh.view) != len(c.view) {
		return fmt.Errorf("believes in %d messages; there are %d", len(c.view), len(fresh.view))
	}
	for i, m := range c.view {
		is := fresh.view[i]
		if m.uid != 0 && m.uid != is.uid {
			return fmt.Errorf("believes that %d is UID %d; it is %d", i+1, m.uid, is.uid)
		}
		if m.known && !sameFlags(m.flags, is.flags) {
			return fmt.Errorf("believes that UID %d is %v; it is %v", is.uid, m.flags, is.flags)
		}
	}
	return nil
}

func sameFlags(a, b []imap.Flag) bool {
	text := func(all []imap.Flag) []string {
		var out []string
		for _, f := range all {
			out = append(out, strings.ToLower(string(f)))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(text(a), text(b))
}

var xNumber = regexp.MustCompile(`(?m)^X-Number: (\d+)`)

// account counts: what was moved in a ring is there once, and so is what SMTP
// took for one who keeps all, by IMAP and by POP3.
func (s *stress) account(t *testing.T) {
	var ring []int64
	total, counts := 0, map[string]int{}
	for _, c := range s.clients {
		ring = append(ring, c.ring...)
		total += c.commands
		for verb, n := range c.counts {
			counts[verb] += n
		}
	}
	slices.Sort(ring)
	slices.Sort(s.kept)
	if got := s.w.numbers(t, "stress", ringBoxes...); !slices.Equal(got, ring) {
		t.Errorf("into the ring went %d messages, in it are %d: %v, %v", len(ring), len(got), ring, got)
	}
	if got := s.w.numbers(t, "keep", "INBOX"); !slices.Equal(got, s.kept) {
		t.Errorf("SMTP took %d messages, there are %d: %v, %v", len(s.kept), len(got), s.kept, got)
	}
	t.Logf("%d rounds, %d IMAP commands, %d messages made, %d in the ring, %d kept", s.rounds, total, s.number.Load(), len(ring), len(s.kept))
	for _, verb := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[verb], verb)
	}
}

// numbers are those of the letters in some mailboxes, in order.
func (w *world) numbers(t *testing.T, account string, boxes ...string) []int64 {
	t.Helper()
	a, all := w.account(t, account), []int64(nil)
	for _, box := range boxes {
		m, err := a.Mailbox(t.Context(), box)
		if errors.Is(err, mailbox.ErrNoMailbox) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for msg, err := range m.Messages(t.Context(), mailbox.All()) {
			if err != nil {
				t.Fatal(err)
			}
			c, err := m.Open(t.Context(), msg)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(c)
			c.Close()
			var n int64
			if found := xNumber.FindSubmatch(text); err != nil || found == nil {
				t.Fatalf("%s of %s: UID %d: %v\n%s", box, account, msg.UID, err, text)
			} else if _, err := fmt.Sscan(string(found[1]), &n); err != nil {
				t.Fatal(err)
			}
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}
