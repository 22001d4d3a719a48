package imap_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
)

// TestClientAppendUTF8 tells a server of UTF-8 in a header where it has to be
// told, and not where it need not (RFC 6855 section 4, RFC 9051).
func TestClientAppendUTF8(t *testing.T) {
	const text = "Subject: caf\u00e9\r\n\r\nx\r\n"
	for enable, want := range map[string]string{"UTF8=ACCEPT": "UTF8 (~{21+}\r\n" + text + ")", "IMAP4rev2": " {21+}\r\n" + text} {
		s := imaptest.New(t, imaptest.Options{})
		var said ear
		d := dial.Dialer{Tap: func(net.Conn) conv.Tap { return &said }}
		c, err := imap.Dial(t.Context(), "tcp:"+s.Addr, imap.Options{Dialer: d, Plain: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(t.Context(), auth.Credentials{User: imaptest.User, Password: imaptest.Password}); err != nil {
			t.Fatal(err)
		}
		must(t, c.Enable(enable))
		upload := func() imap.Upload {
			return imap.Upload{NewMessage: imap.NewMessage{Size: int64(len(text))}, UTF8: true, Body: strings.NewReader(text)}
		}
		must(t, c.Append("INBOX", upload(), upload()))
		if got := s.Messages("INBOX"); !slices.Equal(got, []string{text, text}) {
			t.Errorf("%s: %q", enable, got)
		}
		if got := said.heard(); strings.Count(got, want) != 2 || strings.Contains(got, "UTF8 (") != (enable == "UTF8=ACCEPT") {
			t.Errorf("%s: %q", enable, got)
		}
	}
}

// TestClientAppendTooBig announces what is over the server's limit, and so can
// be refused without the end of the session.
func TestClientAppendTooBig(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Handler: func(h *imap.Handler) { h.Limits.Message = 1000 }})
	c := s.Client(t.Context(), "tcp")
	text := strings.Repeat("x", 1001)
	_, err := c.Append("INBOX", imap.Upload{NewMessage: imap.NewMessage{Size: 1001}, Body: strings.NewReader(text)}).Wait(t.Context())
	if err == nil || c.Broken() || len(s.Messages("INBOX")) > 0 {
		t.Errorf("%v, broken: %v", err, c.Broken())
	}
	must(t, c.Noop())
}
