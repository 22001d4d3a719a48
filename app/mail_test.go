package app_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// endpointOf gives a service's endpoint, with the scheme that dial knows.
func endpointOf(t *testing.T, r app.Ready, name, scheme string) string {
	t.Helper()
	for _, s := range r.Services {
		if s.Name == name {
			return scheme + ":" + s.Address
		}
	}
	t.Fatalf("no %s among %v", name, r.Services)
	return ""
}

func post(t *testing.T, r app.Ready, service, scheme string, o smtp.Options, to, text string) error {
	t.Helper()
	o.Dialer.TLS = trust(t, r)
	c, err := smtp.Dial(t.Context(), endpointOf(t, r, service, scheme), o)
	if err != nil {
		return err
	}
	defer c.Close()
	m, err := smtp.NewMessage("a@x.test", []string{to}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), m); err != nil {
		return err
	}
	return c.Quit(t.Context())
}

// drop is what POP3 shows of a login: the last lines of all messages.
func drop(t *testing.T, r app.Ready, service, scheme, user, password string) ([]string, error) {
	t.Helper()
	c, err := pop3.Dial(t.Context(), endpointOf(t, r, service, scheme), pop3.Options{Dialer: dial.Dialer{TLS: trust(t, r)}})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(t.Context(), auth.Credentials{User: user, Password: password}); err != nil {
		return nil, err
	}
	count, _, err := c.Stat(t.Context())
	if err != nil {
		return nil, err
	}
	var out []string
	for n := range count {
		body, err := c.Retrieve(t.Context(), n+1)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		lines := strings.Fields(string(text))
		out = append(out, lines[len(lines)-1])
	}
	return out, c.Quit(t.Context())
}

// dialogue sends lines to IMAP and gives all that it says.
func dialogue(t *testing.T, r app.Ready, lines ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(endpointOf(t, r, "imap", "tcp"), "tcp:"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\nz LOGOUT\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// A message that SMTP takes is at once read by POP3 and IMAP, from one store,
// whatever way it came in, on both engines.
func TestMailComesAndIsRead(t *testing.T) {
	for _, engine := range bothEngines {
		r := run(t, app.Config{Engine: engine, Listen: at(t, "smtp=:0", "smtps=:0", "submission=:0", "lmtp=:0", "pop3=:0", "pop3s=:0", "imap=:0", "imaps=:0")})
		for _, way := range []struct {
			service, scheme string
			o               smtp.Options
		}{
			{"smtp", "tcp", smtp.Options{Security: smtp.InClear}},
			{"smtp", "starttls", smtp.Options{}},
			{"smtps", "tls", smtp.Options{}},
			{"submission", "starttls", smtp.Options{Login: &auth.Credentials{User: "who", Password: "ever"}}},
			{"submission", "tcp", smtp.Options{Security: smtp.InClear}},
			{"lmtp", "tcp", smtp.Options{LMTP: true, Security: smtp.InClear}},
		} {
			if err := post(t, r, way.service, way.scheme, way.o, "Ann@Example.test", "Subject: x\r\n\r\nby "+way.service+"-"+way.scheme+"\r\n"); err != nil {
				t.Errorf("%s %s: %v", way.service, way.scheme, err)
			}
		}
		want := "smtp-tcp smtp-starttls smtps-tls submission-starttls submission-tcp lmtp-tcp"
		for _, way := range []struct{ service, scheme, user string }{
			{"pop3", "tcp", "ann@example.test"}, {"pop3", "starttls", "ann"}, {"pop3s", "tls", "ANN@example.test"},
		} {
			if got, err := drop(t, r, way.service, way.scheme, way.user, "any"); err != nil || strings.Join(got, " ") != want {
				t.Errorf("%s as %s: %q %v", way.service, way.user, got, err)
			}
		}
		said := dialogue(t, r, "a LOGIN ann@example.test any", "b SELECT INBOX", "c FETCH 6 (BODY.PEEK[TEXT])", `d LIST "" *`)
		for _, part := range []string{"* 6 EXISTS", "by lmtp-tcp", `\Sent) "/" Sent`, "d OK"} {
			if !strings.Contains(said, part) {
				t.Errorf("IMAP does not say %q:\n%s", part, said)
			}
		}
		if got, err := drop(t, r, "pop3", "tcp", "bob@example.test", "any"); err != nil || len(got) > 0 {
			t.Errorf("bob sees %q %v", got, err)
		}
	}
}

func TestMailOfUsers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "kept")
	cfg := app.Config{Users: map[string]string{"ann": "secret", "bob": "other"}, Data: data}
	cfg.Listen = at(t, "smtp=:0", "submission=:0", "pop3=:0", "imap=:0")
	t.Run("first", func(t *testing.T) {
		r := run(t, cfg)
		plain := smtp.Options{Security: smtp.InClear}
		for to, code := range map[string]int{"ann@example.test": 0, "ANN+tag@elsewhere.test": 0, "eve@example.test": 550} {
			err := post(t, r, "smtp", "tcp", plain, to, "Subject: x\r\n\r\nhello\r\n")
			if reply, ok := errors.AsType[smtp.Reply](err); ok != (code != 0) || ok && reply.Code != code {
				t.Errorf("to %s: %v", to, err)
			}
		}
		if err := post(t, r, "submission", "tcp", plain, "ann@example.test", "x\r\n"); err == nil {
			t.Error("submission took mail without a login")
		}
		plain.Login = &auth.Credentials{User: "bob", Password: "other"}
		if err := post(t, r, "submission", "tcp", plain, "ann@example.test", "Subject: x\r\n\r\nhello\r\n"); err != nil {
			t.Error(err)
		}
	})
	r := run(t, cfg) // the data is there again
	for login, want := range map[string]int{"ann secret": 3, "ann@any.test secret": 3, "bob other": 0, "ann other": -1} {
		user, password, _ := strings.Cut(login, " ")
		got, err := drop(t, r, "pop3", "tcp", user, password)
		if len(got) != max(want, 0) || errors.Is(err, auth.ErrRefused) != (want < 0) {
			t.Errorf("%s: %q %v", login, got, err)
		}
	}
	if _, err := app.Listen(t.Context(), cfg); err == nil || isConfigError(err) || strings.Count(err.Error(), "another farend is using it") != 1 {
		t.Errorf("a directory in use, in one line: %v", err)
	}
}

// Everybody is let in: then only from this host.
func TestMailWithoutUsersStaysHere(t *testing.T) {
	for _, service := range []string{"pop3", "imaps", "submission"} {
		_, err := app.Listen(context.Background(), app.Config{Listen: at(t, service+"=0.0.0.0:0")})
		if _, ok := errors.AsType[*app.ConfigError](err); !ok {
			t.Errorf("%s: %v", service, err)
		}
	}
}
