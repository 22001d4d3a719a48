package smtp_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

const letter = "From: Ann <ann@example.test>\nTo: bob@example.test,\n carol@example.test\nBcc: dave@example.test,\n eve@example.test\nSubject: x\n\nhello\n"

func put(t *testing.T, tr *smtp.Transport, method, target, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(b)
}

func TestTransport(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Rcpt: func(to smtp.Mailbox) error {
		if to.Local == "unknown" {
			return smtp.ErrNoMailbox
		}
		return nil
	}})
	tr := &smtp.Transport{Options: srv.Options()}
	for _, one := range []struct{ path, from, to string }{
		{"", "ann@example.test", "bob@example.test carol@example.test dave@example.test eve@example.test"},
		{"/x@example.test", "ann@example.test", "x@example.test"},
		{"/x@example.test,y@example.test?from=z@example.test", "z@example.test", "x@example.test y@example.test"},
		{"/%22a%20b%22@example.test?from=%3C%3E", "ann@example.test", `"a b"@example.test`},
		{"?to=x@example.test&to=y@example.test", "ann@example.test", "x@example.test y@example.test"},
	} {
		srv.Reset()
		if status, text := put(t, tr, http.MethodPut, srv.URL+one.path, letter); status != 200 {
			t.Errorf("%s: %d %s", one.path, status, text)
			continue
		}
		m := srv.Messages()[0]
		var to []string
		for _, r := range m.To {
			to = append(to, r.Mailbox.String())
		}
		if strings.Contains(one.path, "%3C%3E") {
			one.from = "" // the null path
		}
		if m.From.Mailbox.String() != one.from || strings.Join(to, " ") != one.to || m.Text() != "hello\r\n" {
			t.Errorf("%s: from %q to %q: %q", one.path, m.From.Mailbox, to, m.Data)
		}
		if hidden := m.Header("Bcc") == ""; hidden != (one.path == "") {
			t.Errorf("%s: Bcc: %q", one.path, m.Header("Bcc"))
		}
	}
	tr.From, tr.To = "over@example.test", []string{"ride@example.test"}
	if status, _ := put(t, tr, http.MethodPost, srv.URL+"/x@example.test?from=y@example.test", "no header at all"); status != 200 || !srv.Messages()[1].IsFor("ride@example.test") {
		t.Error(status)
	}
	tr.From, tr.To = "", nil
	if status, text := put(t, tr, http.MethodPut, srv.URL+"/unknown@example.test,ann@example.test", letter); status != 404 || !strings.Contains(text, "ann@example.test: sent") {
		t.Error(status, text)
	}
	if status, _ := put(t, tr, http.MethodGet, srv.URL, ""); status != 405 {
		t.Error(status)
	}
	for _, body := range []string{"no header", "From: a@b\n\nto nobody\n", "To: a@b\n\nfrom nobody\n", ""} {
		if status, text := put(t, tr, http.MethodPut, srv.URL, body); status != 0 {
			t.Error(body, status, text)
		}
	}
}

func TestTransportLogin(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Users: users, TLS: true})
	tr := &smtp.Transport{Options: srv.Options()}
	host := strings.TrimPrefix(srv.URL, "smtps://")
	if status, text := put(t, tr, http.MethodPut, "smtps://ann:secret@"+host, letter); status != 200 {
		t.Error(status, text)
	}
	if status, text := put(t, tr, http.MethodPut, "smtps://ann:wrong@"+host, letter); status != 401 {
		t.Error(status, text)
	}
	if status, text := put(t, tr, http.MethodPut, srv.URL, letter); status != 401 {
		t.Error(status, text)
	}
	tr.Login = func(context.Context, *url.URL) (string, string, error) { return "ann", "secret", nil }
	if status, text := put(t, tr, http.MethodPut, srv.URL, letter); status != 200 {
		t.Error(status, text)
	}
}
