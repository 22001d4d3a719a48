package transfer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/socket"
)

func reply(code int) error { return ftp.Reply{Code: code, Lines: []string{"no"}} }

func dialed(err error) error { return &dial.Error{Endpoint: "tcp:h:1", Err: err} }

func TestCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{failuref(CodeUsage, "x"), 2},
		{dialed(socket.EAI_NONAME), 6},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, 6},
		{dialed(syscall.ECONNREFUSED), 7},
		{dialed(syscall.EHOSTUNREACH), 7},
		{reply(500), 8},
		{reply(553), 9},
		{failure(CodeDenied, reply(550)), 9},
		{io.ErrUnexpectedEOF, 18},
		{reply(426), 18},
		{&StatusError{404, "404 Not Found"}, 22},
		{failure(CodeWrite, syscall.ENOSPC), 23},
		{failure(CodeUpload, reply(552)), 25},
		{failure(CodeLocalRead, fs.ErrNotExist), 26},
		{context.DeadlineExceeded, 28},
		{dialed(context.DeadlineExceeded), 28},
		{dialed(syscall.ETIMEDOUT), 28},
		{tls.RecordHeaderError{Msg: "no TLS"}, 35},
		{dialed(tls.AlertError(40)), 35},
		{http.ErrSchemeMismatch, 35},
		{failuref(CodeResume, "x"), 36},
		{fmt.Errorf("x: %w", open.ErrTooManyRedirects), 47},
		{open.ErrRedirectScheme, 47},
		{io.EOF, 52},
		{syscall.ECONNRESET, 56},
		{errors.New("something else"), 56},
		{dialed(dial.HTTPReply(407)), 56},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, 60},
		{dialed(x509.HostnameError{Certificate: &x509.Certificate{}}), 60},
		{fmt.Errorf("%w: %w", ftp.ErrNoTLS, reply(502)), 64},
		{reply(530), 67},
		{reply(550), 78},
	} {
		if got := Code(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		if got := Code(fmt.Errorf("wrapped: %w", &url.Error{Op: "Get", URL: "x", Err: c.err})); got != c.want {
			t.Errorf("%v, wrapped: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"http://h/x", "http://h/x"},
		{"HTTP://h/x", "http://h/x"},
		{"h", "http://h"},
		{"h:8080/x", "http://h:8080/x"},
		{"localhost:80", "http://localhost:80"},
		{"ftp.example.org/pub/", "ftp://ftp.example.org/pub/"},
		{"data:,x", "data:,x"},
		{"file:///x", "file:///x"},
		{"gopher://h/1/", "gopher://h/1/"},
	} {
		if u, err := ParseURL(c.in); err != nil || u.String() != c.want {
			t.Errorf("%s: %v, %v", c.in, u, err)
		}
	}
	for _, bad := range []string{"", "http://", "nosuch://h/", "http://h:port/", "http://%zz/", "tcp:h:1"} {
		if u, err := ParseURL(bad); err == nil || Code(err) != CodeUsage {
			t.Errorf("%q: %v, %v", bad, u, err)
		}
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ in, field string }{
		{"0-0", "bytes=0-0"}, {"5-", "bytes=5-"}, {"-3", "bytes=-3"}, {"2-9", "bytes=2-9"},
	} {
		if s, err := parseSpan(c.in); err != nil || s.field() != c.field {
			t.Errorf("%s: %v, %v", c.in, s, err)
		}
	}
	for _, bad := range []string{"", "-", "5", "9-2", "a-b", "1-2,4-5", "-0", "--3"} {
		if _, err := parseSpan(bad); err == nil {
			t.Errorf("%q is a range", bad)
		}
	}
}

func TestListingsHaveLF(t *testing.T) {
	for in, want := range map[string]string{"": "", "a\r\nb\r\n": "a\nb\n", "a\nb": "a\nb", "a\rb\r\r\n\r": "a\rb\r\n\r"} {
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.DataErrReader(strings.NewReader(in))} {
			if got, err := io.ReadAll(&loose{r: r}); err != nil || string(got) != want {
				t.Errorf("%q: %q, %v", in, got, err)
			}
		}
	}
}
