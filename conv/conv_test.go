package conv_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is two ends of a conversation, and the raw end below the second.
func pair(t *testing.T, o conv.Options) (*conv.Conn, net.Conn) {
	t.Helper()
	a, b := transcript.Pipe()
	c := conv.New(a, o)
	t.Cleanup(func() {
		c.Abort()
		b.Close()
	})
	return c, b
}

func say(t *testing.T, nc io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
}

func TestConnBothEnds(t *testing.T) {
	a, b := transcript.Pipe()
	client, server := conv.New(a, conv.Options{}), conv.New(b, conv.Options{})
	defer client.Close()
	done := make(chan error, 1)
	go func() {
		line, err := server.R.Line()
		if err == nil {
			err = server.W.LineString("got " + string(line))
		}
		done <- errors.Join(err, server.Close())
	}()
	if err := client.W.LineString("hello"); err != nil {
		t.Fatal(err)
	}
	line, err := client.R.Line() // which flushes first
	if err != nil || string(line) != "got hello" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := client.R.Line(); err != io.EOF {
		t.Fatalf("after the end: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLineLimit(t *testing.T) {
	c, peer := pair(t, conv.Options{Line: 10})
	say(t, peer, "12345678\r\n123456789\r\nok\r\n")
	if line, err := c.R.Line(); err != nil || string(line) != "12345678" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := c.R.Line(); !errors.Is(err, wire.ErrLineTooLong) {
		t.Fatalf("%v", err)
	}
	if line, err := c.R.Line(); err != nil || string(line) != "ok" {
		t.Fatalf("%q, %v", line, err)
	}
}

func TestLayersInnermostFirst(t *testing.T) {
	var order []string
	layer := func(name string) conv.Layer {
		return func(nc net.Conn) net.Conn { order = append(order, name); return nc }
	}
	pair(t, conv.Options{Layers: []conv.Layer{layer("first"), layer("second")}})
	if strings.Join(order, " ") != "first second" {
		t.Fatal(order)
	}
}

func TestCloseWrite(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	if err := c.W.LineString("last"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(peer)
	if err != nil || string(all) != "last\r\n" {
		t.Fatalf("%q, %v", all, err)
	}
	say(t, peer, "still here\r\n")
	if line, err := c.R.Line(); err != nil || string(line) != "still here" {
		t.Fatalf("%q, %v", line, err)
	}
}

func TestCloseWriteWithoutHalves(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := conv.New(a, conv.Options{})
	defer c.Close()
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
}

func TestCloseFlushesAndMayBeCalledAgain(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	if err := c.W.LineString("bye"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatalf("the second Close: %v", err)
	}
	if all, err := io.ReadAll(peer); err != nil || string(all) != "bye\r\n" {
		t.Fatalf("%q, %v", all, err)
	}
}

func TestCloseTellsWhatDidNotLeave(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	peer.Close()
	if err := c.W.LineString("lost"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("got %v", err)
	}
}

func TestAbortFromAnotherGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t, conv.Options{})
		done := make(chan error)
		go func() {
			_, err := c.R.Line()
			done <- err
		}()
		synctest.Wait() // it reads
		if err := c.Abort(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Fatalf("got %v", err)
		}
		if err := c.Abort(); err != nil {
			t.Fatalf("the second Abort: %v", err)
		}
	})
}

func TestWithinCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t, conv.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- c.Within(ctx, func() error { _, err := c.R.Line(); return err })
		}()
		synctest.Wait()
		began := time.Now()
		cancel()
		err := <-done
		if !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
		if err := c.Within(t.Context(), func() error { return nil }); !errors.Is(err, conv.ErrBroken) {
			t.Fatalf("after a cancelled call: %v", err)
		}
	})
}

func TestWithinDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t, conv.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err := c.Within(ctx, func() error { _, err := c.R.Line(); return err })
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		var te net.Error
		if errors.As(err, &te) && !te.Timeout() {
			t.Fatal("no timeout")
		}
		if time.Since(began) != time.Minute {
			t.Fatalf("after %v", time.Since(began))
		}
		if err := c.Within(t.Context(), func() error { return nil }); !errors.Is(err, conv.ErrBroken) {
			t.Fatalf("after a deadline: %v", err)
		}
	})
}

func TestWithinLeavesNoDeadlineBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t, conv.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		say(t, peer, "one\r\n")
		if err := c.Within(ctx, func() error { _, err := c.R.Line(); return err }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // synctest's clock: the deadline would have passed
		cancel()
		go func() {
			synctest.Wait()
			say(t, peer, "two\r\n")
		}()
		if line, err := c.R.Line(); err != nil || string(line) != "two" {
			t.Fatalf("%q, %v", line, err)
		}
	})
}

func TestWithinRefusesWhatIsOver(t *testing.T) {
	c, _ := pair(t, conv.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	called := false
	if err := c.Within(ctx, func() error { called = true; return nil }); !errors.Is(err, context.Canceled) || called {
		t.Fatalf("%v, called %v", err, called)
	}
	if err := c.Within(t.Context(), func() error { return nil }); err != nil {
		t.Fatalf("a call that never began broke the Conn: %v", err)
	}
}

func TestWithinKeepsOtherErrors(t *testing.T) {
	c, _ := pair(t, conv.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mine := errors.New("mine")
	if err := c.Within(ctx, func() error { return mine }); !errors.Is(err, mine) {
		t.Fatal(err)
	}
	if err := c.Within(ctx, func() error { return nil }); err != nil {
		t.Fatalf("an error of another kind broke the Conn: %v", err)
	}
}

// TestWithinStartsNoGoroutine counts them while a call waits.
func TestWithinStartsNoGoroutine(t *testing.T) {
	a, b := transcript.Pipe()
	defer b.Close()
	c := conv.New(a, conv.Options{})
	defer c.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := goroutines()
	during := 0
	if err := c.Within(ctx, func() error { during = goroutines(); return nil }); err != nil {
		t.Fatal(err)
	}
	if during > before {
		t.Fatalf("%d goroutines before, %d during the call", before, during)
	}
}

func TestNetConnViewTakesWhatLiesHere(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	say(t, peer, "line\r\nraw bytes")
	if _, err := c.R.Line(); err != nil {
		t.Fatal(err)
	}
	if err := c.W.LineString("held"); err != nil {
		t.Fatal(err)
	}
	nc := c.NetConn()
	buf := make([]byte, 9)
	if _, err := io.ReadFull(nc, buf); err != nil || string(buf) != "raw bytes" {
		t.Fatalf("%q, %v", buf, err)
	}
	say(t, nc, "now")
	if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(peer); err != nil || string(all) != "held\r\nnow" {
		t.Fatalf("%q, %v", all, err)
	}
	if nc.LocalAddr().Network() != "pipe" || nc.RemoteAddr().Network() != "pipe" {
		t.Fatal(nc.LocalAddr(), nc.RemoteAddr())
	}
}

// TestNetConnBothWaysAtOnce is for the race detector: a net.Conn may be read
// while it is written.
func TestNetConnBothWaysAtOnce(t *testing.T) {
	for _, tapped := range []bool{false, true} {
		o := conv.Options{}
		if tapped {
			o.Tap = &safeEar{}
		}
		c, peer := pair(t, o)
		nc := c.NetConn()
		var wg sync.WaitGroup
		wg.Go(func() { io.Copy(peer, peer) }) // an echo
		const piece, count = 100, 2000
		wg.Go(func() {
			for i := range count {
				nc.Write(bytes.Repeat([]byte{byte(i)}, piece))
			}
		})
		buf := make([]byte, piece)
		for i := range count {
			if _, err := io.ReadFull(nc, buf); err != nil || bytes.Count(buf, []byte{byte(i)}) != piece {
				t.Fatal(i, err)
			}
		}
		c.Abort()
		wg.Wait()
	}
}

func TestNetConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t, conv.Options{})
		nc := c.NetConn()
		nc.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Time{})
		nc.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := nc.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	})
}
