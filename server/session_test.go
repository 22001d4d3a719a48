package server_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/server"
)

func TestTurns(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		c.say("SAY one\r\n")
		c.expect("+ one")
		c.say("SAY two\r\nSAY three\r\nSAY fo")
		c.expect("+ two")
		c.expect("+ three")
		c.say("ur\r\nQUIT\r\n")
		c.expect("+ four")
		c.expect("+ bye")
		c.end()
		if why := <-h.ended; why != nil {
			t.Errorf("Close got %v after a good end", why)
		}
	})
}

func TestBodyAcrossReads(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		c := r.client()
		c.expect("+ hello")
		c.say("BODY\r\nfirst line\r\n..dotted\r")
		c.say("\n.")
		c.say("\r")
		c.say("\nSAY after\r\n")
		c.expect("+ 21")
		c.expect("+ after")
	})
}

func TestPeerEnds(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, ended: make(chan error, 2)}
		r := start(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		c.Close()
		if why := <-h.ended; why != nil {
			t.Errorf("Close got %v at the peer's end between requests", why)
		}
		c = r.client()
		c.expect("+ hello")
		c.say("SAY half a li")
		c.Close()
		if why := <-h.ended; k.mode != server.Inline && !errors.Is(why, io.ErrUnexpectedEOF) && why != nil {
			t.Errorf("Close got %v at the peer's end within a request", why)
		}
	})
}

func TestPanicEndsOneTalk(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h})
		a, b := r.client(), r.client()
		a.expect("+ hello")
		b.expect("+ hello")
		a.say("PANIC\r\n")
		if why := <-h.ended; !errors.Is(why, server.ErrPanic) {
			t.Errorf("Close got %v", why)
		}
		b.say("SAY still here\r\n")
		b.expect("+ still here")
		if n := r.srv.Counters().Errors["panic"]; n != 1 {
			t.Errorf("%d panics counted", n)
		}
	})
}

// A talk that has ended, and whose connection is there for a moment still, is
// not begun again to say goodbye.
func TestEndedIsNotBegunAgain(t *testing.T) {
	overSome(t, kind.inClear, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, talks: make(chan *server.Talk, 9), ended: make(chan error, 9)}
		r := start(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		c.say("QUIT\r\n")
		c.expect("+ bye")
		c.end()
		r.stop()
		if err := r.wait(); err != nil || len(h.talks) != 1 || len(h.ended) != 1 {
			t.Errorf("%v; begun %d times, ended %d times", err, len(h.talks), len(h.ended))
		}
	})
}

func TestWake(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, talks: make(chan *server.Talk, 1)}
		r := start(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		talk := <-h.talks
		for i := 1; i <= 20; i++ {
			talk.Wake()
			c.expect(fmt.Sprintf("* push %d", i))
			c.say("SAY between\r\n")
			c.expect("+ between")
		}
		c.Close()
		talk.Wake() // harmless at any time
	})
}

func TestManyClients(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		var wg sync.WaitGroup
		for i := range 30 {
			c := r.client()
			wg.Go(func() {
				c.expect("+ hello")
				for j := range 50 {
					c.say(fmt.Sprintf("SAY %d %d\r\n", i, j))
					c.expect(fmt.Sprintf("+ %d %d", i, j))
				}
				c.say("QUIT\r\n")
				c.expect("+ bye")
				c.end()
			})
		}
		wg.Wait()
		if got := r.srv.Counters().Accepted; got != 30 {
			t.Errorf("%d accepted", got)
		}
	})
}

func TestPeerThatReadsLate(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{Held: 1 << 20}})
		c := r.client()
		c.expect("+ hello")
		c.say(strings.Repeat("MANY\r\n", 8))
		for range 8 {
			for range 3000 {
				c.expect(strings.Repeat("x", 80))
			}
			c.expect("+ done")
		}
	})
}

func TestFarewell(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		c := r.client()
		c.expect("+ hello")
		r.stop()
		c.expect("* goodbye")
		c.end()
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestDrain(t *testing.T) {
	overSome(t, func(k kind) bool { return k.mode == server.Blocks }, func(t *testing.T, k kind) { // only a Turn that blocks can be in flight for long
		h := &liner{mode: k.mode, block: make(chan struct{}), holding: make(chan struct{})}
		r := start(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		c.say("HOLD\r\n")
		<-h.holding
		r.stop()
		close(h.block)
		c.expect("+ held")
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestCut(t *testing.T) {
	overSome(t, func(k kind) bool { return k.mode == server.Blocks }, func(t *testing.T, k kind) { // only a Turn that blocks can be in flight for long
		h := &liner{mode: k.mode, block: make(chan struct{}), holding: make(chan struct{}), ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h, Limits: server.Limits{Drain: 20 * time.Millisecond}})
		c := r.client()
		c.expect("+ hello")
		c.say("HOLD\r\n")
		<-h.holding
		r.stop()
		if why := <-h.ended; !errors.Is(why, server.ErrCut) {
			t.Errorf("Close got %v", why)
		}
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestIdle(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h, Limits: server.Limits{Idle: 100 * time.Millisecond}})
		c := r.client()
		c.expect("+ hello")
		if why := <-h.ended; !errors.Is(why, server.ErrIdle) {
			t.Errorf("Close got %v", why)
		}
		c.end()
	})
}
