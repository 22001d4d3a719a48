package transcript_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPipeBuffersAndEnds(t *testing.T) {
	a, b := transcript.Pipe()
	if _, err := io.WriteString(a, "nobody reads yet"); err != nil {
		t.Fatal(err)
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(a, "x"); !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(b); err != nil || string(all) != "nobody reads yet" {
		t.Fatalf("%q, %v", all, err)
	}
	if _, err := io.WriteString(b, "back"); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(a); err != nil || string(all) != "back" {
		t.Fatalf("%q, %v", all, err)
	}
	for name, f := range map[string]func() error{
		"Read":        func() error { _, err := b.Read(make([]byte, 1)); return err },
		"Write":       func() error { _, err := b.Write([]byte("x")); return err },
		"Close":       b.Close,
		"CloseWrite":  b.CloseWrite,
		"SetDeadline": func() error { return b.SetDeadline(time.Time{}) },
	} {
		if err := f(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	a.Close()
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) { // though its half had ended before
		t.Errorf("Write after CloseWrite and Close: %v", err)
	}
}

func TestPipeCarriesMuch(t *testing.T) {
	a, b := transcript.Pipe()
	defer b.Close()
	want := bytes.Repeat([]byte("0123456789"), 100_000)
	var wg sync.WaitGroup
	wg.Go(func() {
		if n, err := a.Write(want); n != len(want) || err != nil {
			t.Error(n, err)
		}
		a.Close()
	})
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	wg.Wait()
}

func TestPipeReset(t *testing.T) {
	a, b := transcript.Pipe()
	io.WriteString(a, "before")
	a.SetLinger(0)
	a.Close()
	buf := make([]byte, 10)
	if n, err := b.Read(buf); string(buf[:n]) != "before" || err != nil {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	if _, err := b.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	if _, err := b.Write(buf); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	b.Close()
}

func TestPipeWriteToOneWhoLeft(t *testing.T) {
	a, b := transcript.Pipe()
	b.Close()
	if _, err := io.WriteString(a, "x"); !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	a.Close()
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transcript.Pipe()
		defer a.Close()
		defer b.Close()
		began := time.Now()
		a.SetReadDeadline(began.Add(time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := a.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
			t.Fatalf("%d, %v", n, err)
		}
		a.SetDeadline(time.Time{})
		done := make(chan error)
		go func() { _, err := a.Read(make([]byte, 1)); done <- err }()
		synctest.Wait()
		a.SetReadDeadline(time.Unix(1, 0)) // rouses it
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		a.SetReadDeadline(time.Time{})
		go func() { _, err := a.Read(make([]byte, 1)); done <- err }()
		synctest.Wait()
		a.Close() // so does this
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
}

func TestOnce(t *testing.T) {
	a, b := transcript.Pipe()
	defer a.Close()
	l := transcript.Once(b)
	nc, err := l.Accept()
	if err != nil || nc != net.Conn(b) || l.Addr().String() != "pipe-b" {
		t.Fatal(nc, err, l.Addr())
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(a, "open"); err != nil { // Close leaves what was taken
		t.Fatal(err)
	}
	nc.Close()
	c, d := transcript.Pipe()
	defer c.Close()
	if err := transcript.Once(d).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("what nobody took stays open: %v", err)
	}
}
