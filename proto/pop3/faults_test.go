package pop3_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
	"github.com/farend-go/farend/server"
)

// TestUnderFaults has both ends talk over connections that misbehave, by seeds:
// each call gives the right answer or an error, and what is deleted has been
// asked for by a QUIT that was heard.
func TestUnderFaults(t *testing.T) {
	content := strings.Repeat("0123456789abcdef\r\n", 500)
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			var servers []*pop3test.Server
			errs := make([]error, 16)
			for seed := range errs { // at once, for most of it is waiting
				s := pop3test.New(t, pop3test.Options{Messages: []string{content, content}, Engine: e(), Server: func(srv *server.Server) {
					srv.Layers = []conv.Layer{faults.Layer(faults.Mix(uint64(seed))...)}
					srv.Limits.Turn, srv.Limits.Idle, srv.Limits.Drain = time.Second, time.Second, time.Millisecond
				}})
				servers = append(servers, s)
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					got, err := faulty(ctx, s)
					if errs[seed] = err; err == nil && got != content+content {
						t.Errorf("seed %d: %d bytes and no error", seed, len(got))
					}
				})
			}
			all.Wait()
			for seed, s := range servers {
				s.Wait(t.Context(), pop3test.User)
				if left := len(s.Messages(pop3test.User)); left != 2 && left != 1 || errs[seed] == nil && left != 1 {
					t.Errorf("seed %d: %d messages are left after %v", seed, left, errs[seed])
				}
			}
		})
	}
}

func faulty(ctx context.Context, s *pop3test.Server) (string, error) {
	c, err := pop3.Dial(ctx, s.Endpoint("tcp"), s.Options())
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.Login(ctx, right()); err != nil {
		return "", err
	}
	all := ""
	for m, err := range c.New(ctx, &pop3.MemoryJournal{}) {
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			return "", err
		}
		all += string(text)
	}
	if err := c.Delete(ctx, 1); err != nil {
		return "", err
	}
	return all, c.Quit(ctx)
}

// TestACutMessage lets a message break at an exact byte, in clear and in TLS.
func TestACutMessage(t *testing.T) {
	content := strings.Repeat("0123456789abcdef\r\n", 1000)
	for _, do := range []faults.Deed{faults.Reset, faults.Close, faults.Cut} {
		for _, scheme := range []string{"tcp", "starttls"} {
			rule := faults.Rule{After: 10_000, Do: do, Dir: faults.Out, Times: 1}
			s := pop3test.New(t, pop3test.Options{Messages: []string{content}, Faults: []faults.Rule{rule}})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			c := s.Client(ctx, scheme)
			got, err := text(ctx, c, 1)
			if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || !c.Broken() {
				t.Errorf("%s %s: %d bytes, %v", do, scheme, len(got), err)
			}
			cancel()
		}
	}
}
