package app_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// salt is what a server says that the salt of a user is.
func salt(t *testing.T, address, mechanism, user string) string {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "a AUTHENTICATE %s %s\r\n", mechanism, base64.StdEncoding.EncodeToString([]byte("n,,n="+user+",r=x")))
	lines := bufio.NewScanner(nc)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "+ "); ok {
			first, err := base64.StdEncoding.DecodeString(text)
			_, after, found := strings.Cut(string(first), ",s=")
			if err != nil || !found {
				t.Fatalf("%q, %v", first, err)
			}
			return after
		}
	}
	t.Fatal(lines.Err())
	return ""
}

// TestSaltsTellNothing: who has an account has the same salt by all his names
// and mechanisms until the next start, and so has who has none.
func TestSaltsTellNothing(t *testing.T) {
	seen := map[string]string{}
	dir := t.TempDir()
	for range 2 {
		cfg := app.Config{Listen: at(t, "imap=:0"), Users: map[string]string{"ann": "secret"}, Data: dir}
		serveOnce(t, cfg, func(r app.Ready) {
			for _, user := range []string{"ann", "bob"} {
				first := salt(t, r.Services[0].Address, auth.SCRAMSHA256, user)
				for _, name := range []string{user, user + "@a.test", user + "@b.test"} {
					for _, mechanism := range []string{auth.SCRAMSHA1, auth.SCRAMSHA256} {
						if got := salt(t, r.Services[0].Address, mechanism, name); got != first {
							t.Errorf("%s by %s: %s, not %s", name, mechanism, got, first)
						}
					}
				}
				if other := seen[first]; other != "" {
					t.Errorf("the salt of %s is that of %s", user, other)
				}
				seen[first] = user
			}
		})
	}
}

// TestExchangesAreMasked has neither end's ears hear what could be guessed
// with: challenges and responses, of every protocol with SASL.
func TestExchangesAreMasked(t *testing.T) {
	dir := t.TempDir()
	cfg := app.Config{
		Listen: at(t, "imap=:0", "pop3=:0", "submission=:0", "nntp=:0"), Users: map[string]string{"ann": "secret"}, Transcript: dir,
	}
	heard := map[string]string{}
	serveOnce(t, cfg, func(r app.Ready) {
		for _, mechanism := range []string{auth.SCRAMSHA256, auth.CRAMMD5, auth.PLAIN} {
			for _, s := range r.Services {
				var ours heardBytes
				who := auth.Credentials{User: "ann", Password: "secret", Mechanism: mechanism, ClearText: true}
				d := dial.Dialer{Tap: func(net.Conn) conv.Tap { return &ours }}
				if err := logIn(t, s.Name, "tcp:"+s.Address, d, who); err != nil {
					t.Errorf("%s by %s: %v", s.Name, mechanism, err)
				}
				heard["a client of "+s.Name+" by "+mechanism] = ours.String()
				if !strings.Contains(ours.String(), mechanism) {
					t.Errorf("a client of %s did not hear itself ask for %s: %.200q", s.Name, mechanism, ours.String())
				}
			}
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		heard[f] = string(text)
	}
	for who, text := range heard {
		for _, word := range regexp.MustCompile(`[A-Za-z0-9+/]{12,}=*`).FindAllString(text, -1) {
			plain, err := base64.StdEncoding.DecodeString(word)
			if err == nil && regexp.MustCompile(`r=|v=|secret|^<.*>$|^ann `).Match(plain) {
				t.Errorf("%s: %s is %q", who, word, plain)
			}
		}
	}
}

// heardBytes is all that was heard.
type heardBytes struct{ buffer }

func (h *heardBytes) Hear(u conv.Utterance) { _, _ = h.Write(u.Bytes) }

func logIn(t *testing.T, service, endpoint string, d dial.Dialer, who auth.Credentials) error {
	t.Helper()
	ctx := t.Context()
	switch service {
	case "imap":
		c, err := imap.Dial(ctx, endpoint, imap.Options{Dialer: d})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Login(ctx, who)
	case "pop3":
		c, err := pop3.Dial(ctx, endpoint, pop3.Options{Dialer: d})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Login(ctx, who)
	case "nntp":
		c, err := nntp.Dial(ctx, endpoint, nntp.Options{Dialer: d})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Login(ctx, who)
	}
	c, err := smtp.Dial(ctx, endpoint, smtp.Options{Dialer: d, Security: smtp.InClear})
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Login(ctx, who)
}
