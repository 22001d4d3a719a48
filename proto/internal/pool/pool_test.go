package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/farend-go/farend/proto/internal/pool"
)

// session is one that may be lost.
type session struct {
	number       int
	lost, closed bool
}

func (s *session) Close() error {
	s.closed = true
	return nil
}

var errLost = errors.New("the server has hung up")

func (s *session) fit(context.Context) error {
	if s.lost {
		return errLost
	}
	return nil
}

// opener numbers its sessions.
func opener() func(context.Context) (*session, error) {
	n := 0
	return func(context.Context) (*session, error) {
		n++
		return &session{number: n}, nil
	}
}

func Example() {
	ctx := context.Background()
	var p pool.Pool[*session]
	open := opener()
	for range 3 {
		s, err := p.Get(ctx, 1, open, (*session).fit)
		fmt.Println(s.number, err)
		s.lost = s.number == 1
		p.Put(s, true)
	}
	fmt.Println(p.Close((*session).Close))
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 2 <nil>
	// <nil>
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pool.Pool[*session]
		open := opener()
		one, err := p.Get(t.Context(), 1, open, (*session).fit)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan *session)
		go func() {
			s, err := p.Get(t.Context(), 1, open, (*session).fit)
			if err != nil {
				t.Error(err)
			}
			got <- s
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Get(ctx, 1, open, (*session).fit); !errors.Is(err, context.Canceled) {
			t.Errorf("one more than the limit: %v", err)
		}
		p.Put(one, false)
		if s := <-got; s.number != 2 || !one.closed {
			t.Errorf("%+v after %+v", s, one)
		}
	})
}

// A session that cannot be opened leaves its place to others, and so does each
// call after Close.
func TestErrorsTakeNoPlace(t *testing.T) {
	var p pool.Pool[*session]
	fail := func(context.Context) (*session, error) { return nil, errLost }
	for range 3 {
		if _, err := p.Get(t.Context(), 1, fail, (*session).fit); !errors.Is(err, errLost) {
			t.Error(err)
		}
	}
	s, err := p.Get(t.Context(), 1, opener(), (*session).fit)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close((*session).Close); err != nil {
		t.Error(err)
	}
	if p.Put(s, true); !s.closed {
		t.Error("a session was kept after Close")
	}
	for range 3 {
		if _, err := p.Get(t.Context(), 1, opener(), (*session).fit); !errors.Is(err, pool.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestWithoutALimit(t *testing.T) {
	var p pool.Pool[*session]
	open := opener()
	for range 10 {
		if _, err := p.Get(t.Context(), 0, open, (*session).fit); err != nil {
			t.Error(err)
		}
	}
}
