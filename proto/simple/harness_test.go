package simple_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

// overStreams runs a test over every engine, TCP and Unix sockets.
func overStreams(t *testing.T, h func() server.Handler, f func(t *testing.T, dial func() net.Conn)) {
	for engine, e := range engines {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(engine+"/"+network, func(t *testing.T) {
				address := "127.0.0.1:0"
				if network == "unix" {
					address = "unix:" + filepath.Join(servertest.Dir(t), "s")
				}
				l, err := server.Listen(t.Context(), address, server.ListenConfig{})
				if err != nil {
					t.Fatal(err)
				}
				srv := &server.Server{Handler: h(), Engine: e()}
				servertest.Run(t, func(ctx context.Context) error { return srv.Serve(ctx, l) })
				f(t, func() net.Conn { return connect(t, network, l.Addr().String(), nil) })
			})
		}
	}
}

// overPackets runs a test over UDP and Unix datagrams.
func overPackets(t *testing.T, h func() server.PacketHandler, f func(t *testing.T, dial func() net.Conn)) {
	for _, network := range []string{"udp", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			address, local := "127.0.0.1:0", net.Addr(nil)
			if network == "unixgram" {
				dir := servertest.Dir(t)
				address, local = filepath.Join(dir, "s"), &net.UnixAddr{Name: filepath.Join(dir, "c"), Net: network}
			}
			pc, err := socket.ListenPacket(t.Context(), network, address, socket.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			srv := &server.Server{Packets: h()}
			servertest.Run(t, func(ctx context.Context) error { return srv.ServePacket(ctx, pc) })
			f(t, func() net.Conn { return connect(t, network, pc.LocalAddr().String(), local) })
		})
	}
}

func connect(t *testing.T, network, address string, local net.Addr) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: local}
	c, err := d.DialContext(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c
}
