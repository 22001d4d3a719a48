package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Failure is a kind of error; its text is the key in a Result's Errors.
type Failure string

// The kinds of errors. Each request that was sent ends as a reply or as one of
// these (a lost datagram is neither), and so does each attempt to connect.
const (
	Refused  Failure = "refused"      // nobody listens, or the backlog refuses
	Reset    Failure = "reset"        // the peer cut the connection, before or in an answer
	Timeout  Failure = "timeout"      // no answer, or no connection, in Plan.Timeout
	Wrong    Failure = "wrong_answer" // it is not what was expected
	EOF      Failure = "eof"          // the peer closed before it had answered
	TLS      Failure = "tls"          // the handshake, or a record
	NoPorts  Failure = "no_ports"     // our own: source ports have run out
	NoFiles  Failure = "no_files"     // our own: descriptors have run out
	OtherErr Failure = "other"
)

// Failures lists all kinds.
func Failures() []Failure {
	return []Failure{Refused, Reset, Timeout, Wrong, EOF, TLS, NoPorts, NoFiles, OtherErr}
}

// ErrWrong is an answer that is not what was expected. A Conversation wraps it.
var ErrWrong = errors.New("wrong answer")

// errUnasked is an answer that nothing was asked for.
var errUnasked = fmt.Errorf("%w: more came than was asked for", ErrWrong)

// failureOf sorts an error.
func failureOf(err error) Failure {
	var (
		alert  tls.AlertError
		record tls.RecordHeaderError
		cert   *tls.CertificateVerificationError
		host   x509.HostnameError
		ne     net.Error
	)
	switch {
	case errors.Is(err, ErrWrong):
		return Wrong
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EAGAIN): // the latter: a Unix socket's backlog is full
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EADDRINUSE):
		return NoPorts
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return NoFiles
	case errors.As(err, &alert), errors.As(err, &record), errors.As(err, &cert), errors.As(err, &host):
		return TLS
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return Timeout
	case errors.As(err, &ne) && ne.Timeout():
		return Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return EOF
	}
	return OtherErr
}
