package socket_test

import (
	"errors"
	"io"
	"testing"

	"github.com/farend-go/farend/socket"
)

// TestUrgentAhead sees urgent data from when it has come until it is read, in
// line, and a read that ends before it.
func TestUrgentAhead(t *testing.T) {
	ctx := t.Context()
	l, err := socket.CreateServer(ctx, socket.Pair("127.0.0.1", 0), socket.ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := socket.New()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	name, err := l.Getsockname()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(ctx, name); err != nil {
		t.Fatal(err)
	}
	s, _, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := socket.SO_OOBINLINE.Set(s, true); err != nil {
		t.Skip("no urgent data in line: ", err)
	}
	ahead := func() (ahead bool) {
		t.Helper()
		raw, err := s.SyscallConn()
		if err == nil {
			err = errors.Join(raw.Control(func(fd uintptr) { ahead, err = socket.UrgentAhead(fd) }), err)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("this system does not tell of urgent data")
		}
		if err != nil {
			t.Fatal(err)
		}
		return ahead
	}
	if ahead() {
		t.Error("urgent data before anything was sent")
	}
	_, err1 := c.Send(ctx, []byte("abcd"), socket.MSG_OOB)
	_, err2 := c.SendAll(ctx, []byte("ef"))
	if err := errors.Join(err1, err2, c.Shutdown(socket.SHUT_WR)); err != nil {
		t.Fatal(err)
	}
	var read []byte
	for {
		b, err := s.Recv(ctx, 16)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if read = append(read, b...); len(read) > 3 && ahead() {
			t.Errorf("urgent data behind %q", read)
		}
		if len(read) == 3 { // a read ends there
			if _, err := s.Recv(ctx, 1, socket.MSG_PEEK); err != nil {
				t.Fatal(err)
			}
			if !ahead() {
				t.Error("no urgent data where it lies")
			}
		}
	}
	if string(read) != "abcdef" {
		t.Errorf("read %q", read)
	}
}
