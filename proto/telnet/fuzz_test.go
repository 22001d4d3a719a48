package telnet_test

import (
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// FuzzSession says anything to a session, before the login and after it: it
// ends when the client does, and does not panic.
func FuzzSession(f *testing.F) {
	f.Add([]byte("ann\r\nsecret\r\nsaid\r\n\xff\xf6\x1b[A\x16\x03\x12\x17"), true)
	f.Add([]byte("said\r\x00\xff\xfd\x01abc\x08\x08\x08\x08\xff\xf7\xff\xfa\x1f\x00\xff\xf0\x04"), false)
	f.Fuzz(func(t *testing.T, b []byte, login bool) {
		h := &telnet.Handler{Shell: newParrot, Limits: telnet.Limits{Line: 64, Remember: 64}}
		if login {
			h.Auth = logins()
		}
		srv := &server.Server{Handler: h, Limits: server.Limits{Drain: time.Second}}
		_, _ = servertest.Say(t, srv, b) // whatever it answers
	})
}
