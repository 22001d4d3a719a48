package dial

import (
	"bytes"
	"io"
	"testing"
)

// answers is a proxy that says what it is told, whatever it hears.
type answers struct {
	io.Reader
	bytes.Buffer
}

func (a *answers) Read(p []byte) (int, error) { return a.Reader.Read(p) }

// Whatever a proxy answers, what follows the reply stays unread.
func FuzzSOCKSReply(f *testing.F) {
	f.Add([]byte("\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"), "u", "p")
	f.Add([]byte("\x05\x02\x01\x00\x05\x05\x00\x03\x01h\x00\x50"), "u", "p")
	f.Fuzz(func(t *testing.T, said []byte, user, password string) {
		if len(user) > 255 || len(password) > 255 {
			return
		}
		rest := bytes.NewReader(append(bytes.Clone(said), "far end"...))
		if err := socksConnect(&answers{Reader: rest}, user, password, "h", 80); err != nil {
			return
		}
		tail, _ := io.ReadAll(rest)
		if len(said) >= 12 && len(tail) < len("far end") && len(said) < 300 && said[1] == 0 && said[5] == 1 {
			t.Errorf("%q: only %q is left", said, tail)
		}
	})
}

func FuzzConnectReply(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 407 No\n\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		rest := bytes.NewReader(said)
		if err := httpConnect(&answers{Reader: rest}, "", "", "h:80"); err == nil && rest.Len() == len(said) {
			t.Errorf("%q: nothing was read", said)
		}
	})
}

func FuzzParseProxy(f *testing.F) {
	f.Add("socks5://u:p@[::1]:1080")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseProxy(s)
		if err != nil {
			return
		}
		again, err := ParseProxy(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q: %s, %v, %v", s, p, again, err)
		}
	})
}
