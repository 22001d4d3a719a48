package imap_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// ear hears what is said.
type ear struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (e *ear) Hear(u conv.Utterance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.b.Write(u.Bytes)
}

func (e *ear) heard() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.b.String()
}

// TestSecrets has a tap hear every way to log in, and no password.
func TestSecrets(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			tap := &ear{}
			srv := &server.Server{Handler: handler(filled()), Engine: e(), Tap: func(*server.Talk) conv.Tap { return tap }}
			addr := servertest.Serve(t, srv)
			plain := base64.StdEncoding.EncodeToString([]byte("\x00mrc\x00secret"))
			for _, way := range []string{
				"LOGIN mrc secret", `login "mrc" "secret"`, "LOGIN {3+}\r\nmrc {6+}\r\nsecret", "LOGIN mrc {6}\r\nsecret",
				"AUTHENTICATE PLAIN " + plain, "AUTHENTICATE PLAIN\r\n" + plain, "AUTHENTICATE PLAIN\r\n*\r\nb LOGIN mrc secret",
				"LOGIN mrc secretandwrong", "LOGIN mrc\x00secret", "UID LOGIN mrc secret", "LOGIN mrc secret {5}", "LOGON mrc secret", "LOGIN mrc secret\r\nb LOGIN mrc secret",
			} {
				k := talk(t, addr)
				k.say("a " + way + "\r\nz NOOP\r\nz LOGOUT\r\n")
				for !strings.HasPrefix(k.line(), "z OK LOGOUT") {
				}
				k.end()
			}
			heard := tap.heard()
			for _, secret := range []string{"secret", plain} {
				if i := strings.Index(heard, secret); i >= 0 {
					t.Errorf("the tap heard %q", heard[max(0, i-60):i+len(secret)])
				}
			}
			if !strings.Contains(heard, "z OK LOGOUT") || !strings.Contains(strings.ToUpper(heard), "LOGIN") {
				t.Errorf("the tap heard %q", heard)
			}
		})
	}
}
