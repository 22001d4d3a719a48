package open

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// RetryHandler tries idempotent requests again (RFC 9110 section 9.2.2) whose
// body can be sent again: after a failure of the connection that another try
// may mend, and after 429, 502, 503 and 504. It waits as Retry-After says, or
// ever longer, and never beyond the request's context.
type RetryHandler struct {
	Times int           // tries after the first; 0: 3
	First time.Duration // wait before the second try, doubled each time, a random part of it off; 0: 500ms
	Most  time.Duration // longest wait; a Retry-After beyond it ends the tries; 0: 30s
}

// Join wraps.
func (h RetryHandler) Join(p *Plan) {
	if h.Times == 0 {
		h.Times = 3
	}
	if h.First == 0 {
		h.First = 500 * time.Millisecond
	}
	if h.Most == 0 {
		h.Most = 30 * time.Second
	}
	p.Wrap(OrderRetry, func(next http.RoundTripper) http.RoundTripper { return &retry{next, h} })
}

type retry struct {
	next http.RoundTripper
	how  RetryHandler
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isHTTP(req.URL.Scheme) || !idempotent(method(req)) || !replayable(req) {
		return r.next.RoundTrip(req)
	}
	wait := r.how.First
	for try := 0; ; try++ {
		resp, err := r.next.RoundTrip(req)
		pause := min(wait, r.how.Most)
		pause -= rand.N(pause/2 + 1)
		if try == r.how.Times || req.Context().Err() != nil || !r.worth(resp, err, &pause) {
			return resp, err
		}
		if resp != nil {
			finish(resp)
		}
		if err := sleep(req.Context(), pause); err != nil {
			return nil, err
		}
		body, err := rewind(req)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
		wait *= 2
	}
}

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// worth tells whether another try may end otherwise, and after which pause.
func (r *retry) worth(resp *http.Response, err error, pause *time.Duration) bool {
	if err != nil {
		return mends(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return false
	}
	if after, ok := retryAfter(resp.Header.Get("Retry-After")); ok {
		*pause = after
	}
	return *pause <= r.how.Most
}

// mends tells errors that time may mend from those that stay: a bad
// certificate, a name that does not exist.
func mends(err error) bool {
	var (
		cert   *tls.CertificateVerificationError
		root   x509.UnknownAuthorityError
		record tls.RecordHeaderError
		alert  tls.AlertError
		dns    *net.DNSError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &cert), errors.As(err, &root), errors.As(err, &record), errors.As(err, &alert):
		return false
	case errors.As(err, &dns):
		return dns.Temporary()
	}
	var mending interface{ Temporary() bool }
	var timeout interface{ Timeout() bool }
	var op *net.OpError
	return errors.As(err, &op) || isConnection(err) ||
		errors.As(err, &timeout) && timeout.Timeout() || errors.As(err, &mending) && mending.Temporary()
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(field string) (time.Duration, bool) {
	if n, err := strconv.ParseUint(field, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(field); err == nil {
		return max(0, time.Until(t)), true
	}
	return 0, false
}

// sleep waits, or gives the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isConnection tells the errors of a connection that was refused or cut.
func isConnection(err error) bool {
	for _, one := range []error{
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}
