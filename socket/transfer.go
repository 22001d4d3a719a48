package socket

import (
	"context"
	"errors"
	"io"
)

// received is what one receiving call brought besides the bytes.
type received struct {
	n        int
	nControl int
	flags    Flag
	from     Addr
}

// Recv receives at most size bytes, recv(2). It waits until something is there
// and returns what has arrived by then, which need not be all that the peer
// sent. At the end of a stream it returns io.EOF, where Python's recv returns no
// bytes; an empty datagram is no bytes and no error.
//
// A datagram longer than size gives its beginning and ErrTruncated. MSG_PEEK
// leaves the bytes in the queue; MSG_WAITALL waits for all size bytes of a
// stream; MSG_DONTWAIT gives EAGAIN instead of waiting; MSG_OOB receives urgent
// data.
func (s *Sock) Recv(ctx context.Context, size int, flags ...Flag) ([]byte, error) {
	p := make([]byte, size)
	n, err := s.RecvInto(ctx, p, flags...)
	return p[:min(n, size)], err
}

// RecvInto is Recv into the caller's buffer, Python's recv_into; it returns how
// many bytes came. With MSG_TRUNC (Linux) the count is the datagram's true
// length even where that exceeds len(p), and there is no ErrTruncated.
func (s *Sock) RecvInto(ctx context.Context, p []byte, flags ...Flag) (int, error) {
	want := union(flags)
	r, err := s.receiveInto(ctx, p, want, false)
	return r.n, s.received("recv", r, want, err)
}

// RecvFrom receives one datagram of at most size bytes with its sender's
// address, recvfrom(2); the address is nil where the kernel has none, as on a
// stream. Otherwise it is Recv: a longer datagram gives its beginning and
// ErrTruncated.
func (s *Sock) RecvFrom(ctx context.Context, size int, flags ...Flag) ([]byte, Addr, error) {
	p := make([]byte, size)
	n, from, err := s.RecvFromInto(ctx, p, flags...)
	return p[:min(n, size)], from, err
}

// RecvFromInto is RecvFrom into the caller's buffer, Python's recvfrom_into.
func (s *Sock) RecvFromInto(ctx context.Context, p []byte, flags ...Flag) (int, Addr, error) {
	want := union(flags)
	r, err := s.receiveInto(ctx, p, want, true)
	return r.n, r.from, s.received("recvfrom", r, want, err)
}

// received makes the error of a receiving call: io.EOF stays bare, as readers
// expect it.
func (s *Sock) received(op string, r received, want Flag, err error) error {
	switch {
	case err == io.EOF:
		return io.EOF
	case err != nil:
		return s.fail(op, nil, err)
	case r.flags&MSG_TRUNC != 0 && want&MSG_TRUNC == 0:
		return s.fail(op, nil, ErrTruncated)
	}
	return nil
}

// ReadAll receives until the end of the stream. One Recv returns only what has
// arrived; this returns everything, however long that is: read through
// io.LimitReader(s, max) where the peer is not trusted to stop. After an error
// the bytes so far are returned with it.
func (s *Sock) ReadAll(ctx context.Context) ([]byte, error) {
	all := make([]byte, 0, 4096)
	for {
		if len(all) == cap(all) {
			all = append(all, 0)[:len(all)]
		}
		n, err := s.RecvInto(ctx, all[len(all):cap(all)])
		all = all[:len(all)+n]
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// Send sends p to the peer, send(2), and returns how many bytes the kernel took:
// of a stream perhaps not all (see SendAll), of a datagram all or none. It waits
// until it can take some; with MSG_DONTWAIT it fails with EAGAIN instead. EPIPE
// and ECONNRESET tell that the peer is gone (no SIGPIPE comes), EMSGSIZE that a
// datagram is too long.
func (s *Sock) Send(ctx context.Context, p []byte, flags ...Flag) (int, error) {
	n, err := s.sendFrom(ctx, p, nil, union(flags))
	return n, s.fail("send", nil, err)
}

// SendAll sends all of p, Python's sendall, and returns how much the kernel took:
// less than len(p) only with an error. No other call sends in between.
func (s *Sock) SendAll(ctx context.Context, p []byte, flags ...Flag) (int, error) {
	n, err := s.sendAll(ctx, p, union(flags))
	return n, s.fail("sendall", nil, err)
}

// SendTo sends p as one datagram to an address, sendto(2), and returns how many
// bytes went. An unbound socket gets a port of its own with the first one.
// Sending to a broadcast address needs SO_BROADCAST, or fails with EACCES.
func (s *Sock) SendTo(ctx context.Context, p []byte, to Address, flags ...Flag) (int, error) {
	a, err := s.first(ctx, to)
	if err != nil {
		return 0, s.fail("sendto", nil, err)
	}
	n, err := s.sendFrom(ctx, p, a, union(flags))
	return n, s.fail("sendto", a, err)
}
