package transfer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/socket"
)

// The numbers of curl(1), section EXIT CODES.
const (
	CodeUsage       = 2 // curl has 1, 2 and 3 for this
	CodeNoHost      = 6
	CodeNoConnect   = 7
	CodeWeird       = 8
	CodeDenied      = 9
	CodePartial     = 18
	CodeStatus      = 22
	CodeWrite       = 23
	CodeUpload      = 25
	CodeLocalRead   = 26
	CodeTimeout     = 28
	CodeTLS         = 35
	CodeResume      = 36
	CodeNoFile      = 37
	CodeRedirects   = 47
	CodeEmpty       = 52
	CodeSend        = 55
	CodeReceive     = 56
	CodeCertificate = 60
	CodeNoTLS       = 64
	CodeLogin       = 67
	CodeMissing     = 78
)

// A Failure is an error that has its number.
type Failure struct {
	Code int
	Err  error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap is the error inside.
func (f *Failure) Unwrap() error { return f.Err }

func failure(code int, err error) error { return &Failure{code, err} }

func failuref(code int, format string, args ...any) error {
	return &Failure{code, fmt.Errorf(format, args...)}
}

// StatusError is an answer of HTTP that is none of those wanted.
type StatusError struct {
	Code int
	Text string // of the status line, or what the server says
}

func (e *StatusError) Error() string { return "the server answers " + e.Text }

// Code is curl's number for an error of this package; 0 for nil.
func Code(err error) int {
	if err == nil {
		return 0
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Code
	}
	for _, known := range codes() {
		if known.is(err) {
			return known.code
		}
	}
	return CodeReceive
}

// codes tells errors by what is in them; the first that fits counts.
func codes() []codeOf {
	return []codeOf{
		{CodeRedirects, is(open.ErrTooManyRedirects, open.ErrRedirectScheme, open.ErrRedirectHost)},
		{CodeTimeout, isTimeout},
		{CodeCertificate, isCertificate},
		{CodeNoTLS, is(ftp.ErrNoTLS, pop3.ErrNoTLS, imap.ErrNoTLS)},
		{CodeNoHost, isNoHost},
		{CodeTLS, isTLS},
		{CodeLogin, isLogin},
		{CodeStatus, as[*StatusError]},
		{CodeReceive, as[dial.HTTPReply]},
		{CodeNoConnect, as[*dial.Error]},
		{CodeLogin, isReply(530, 532, 332, 430)},
		{CodeMissing, isReply(550)},
		{CodeDenied, isReply(553, 450, 521)},
		{CodePartial, isReply(425, 426, 451)},
		{CodeWeird, as[ftp.Reply]},
		{CodePartial, is(io.ErrUnexpectedEOF)},
		{CodeEmpty, is(io.EOF)},
	}
}

type codeOf struct {
	code int
	is   func(err error) bool
}

func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isReply(codes ...int) func(error) bool {
	return func(err error) bool {
		r, ok := errors.AsType[ftp.Reply](err)
		for _, c := range codes {
			if ok && r.Code == c {
				return true
			}
		}
		return false
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

func isCertificate(err error) bool {
	return as[*tls.CertificateVerificationError](err) || as[x509.UnknownAuthorityError](err) ||
		as[x509.HostnameError](err) || as[x509.CertificateInvalidError](err)
}

func isTLS(err error) bool {
	return as[tls.RecordHeaderError](err) || as[tls.AlertError](err) || errors.Is(err, http.ErrSchemeMismatch)
}

func isNoHost(err error) bool { return as[*net.DNSError](err) || as[socket.EAI](err) }

// plain is err without the wrapping of http.Client, which names the URL again.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
