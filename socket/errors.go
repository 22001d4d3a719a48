package socket

import (
	"context"
	"errors"
	"net"
	"os"
)

// ErrTruncated tells that a datagram, or the control data beside it, was longer
// than the room given for it. What fitted is in the buffer and counted; the rest
// is lost, as recv(2) has it. Python cuts in silence.
var ErrTruncated = errors.New("message cut short, the buffer is too small for it")

// timeoutError is the end of a context's or a socket's deadline.
type timeoutError struct{}

func (timeoutError) Error() string   { return "deadline exceeded" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func (timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

// endedError is the end of a context that gave a cause of its own.
type endedError struct {
	end   error // context.Canceled or timeoutError
	cause error
}

func (e *endedError) Error() string   { return e.end.Error() + ": " + e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.end, e.cause} }
func (e *endedError) Timeout() bool   { return errors.Is(e.end, os.ErrDeadlineExceeded) }
func (e *endedError) Temporary() bool { return e.Timeout() }

// ended is the error of a call whose context is done.
func ended(ctx context.Context) error {
	end := ctx.Err()
	cause := context.Cause(ctx)
	given := !errors.Is(end, cause)
	if errors.Is(end, context.DeadlineExceeded) {
		end = timeoutError{}
	}
	if !given {
		return end
	}
	return &endedError{end: end, cause: cause}
}

// fail dresses an error with what was being done and to whom. io.EOF and nil are
// left as they are.
func (s *Sock) fail(op string, peer net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: networkName(s.family, s.typ), Addr: peer, Err: err}
}

// networkName is what package net calls sockets of this kind, or the family's
// own name where net has none.
func networkName(family Family, typ Type) string {
	switch family {
	case AF_INET, AF_INET6:
		switch typ {
		case SOCK_STREAM:
			return "tcp"
		case SOCK_DGRAM:
			return "udp"
		case SOCK_RAW:
			return "ip"
		}
	case AF_UNIX:
		switch typ {
		case SOCK_STREAM:
			return "unix"
		case SOCK_DGRAM:
			return "unixgram"
		case SOCK_SEQPACKET:
			return "unixpacket"
		}
	}
	return family.String()
}
