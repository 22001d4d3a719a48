//go:build interop && linux

package server_test

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/server"
)

func TestHAProxy(t *testing.T) {
	for _, how := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"} {
		t.Run(how, func(t *testing.T) {
			b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: true}, &server.Server{Handler: ends()})
			addr := foreign.HAProxy(t, b.Addr().String(), how)
			c, err := net.DialTimeout("tcp", addr.String(), 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(15 * time.Second))
			want := fmt.Sprintf("%v %v\nhello", c.LocalAddr(), addr)
			if _, err := io.WriteString(c, "hello"); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			if n := b.Counters(); n != (server.ProxyCounters{Headers: 1}) {
				t.Errorf("counted %+v", n)
			}
		})
	}
}

// Its health checks say LOCAL (version 2) and keep their own address.
func TestHAProxyHealthCheck(t *testing.T) {
	srv := &server.Server{Handler: ends()}
	b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: true}, srv)
	foreign.HAProxy(t, b.Addr().String(), "send-proxy-v2 check inter 50ms")
	eventually(t, "checks are served", func() bool { return b.Counters().Headers >= 2 && srv.Counters().Accepted >= 2 })
	if n := b.Counters(); n.Missing+n.Malformed+n.Late > 0 {
		t.Errorf("counted %+v", n)
	}
}
