package ftp_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
)

// smallFiles are sent within a Turn, or on a loop.
func smallFiles(h **ftp.Handler) ftptest.Options {
	return ftptest.Options{
		Files:   map[string]string{"empty": "", "tiny": "tiny", "full": strings.Repeat("0123456789abcdef", 2048), "over": strings.Repeat("x", 32<<10+1)},
		Handler: func(those *ftp.Handler) { *h = those },
	}
}

// slow connects with room for little, and reads nothing yet.
func (k *talker) slow(h *ftp.Handler) net.Conn {
	k.t.Helper()
	reply := k.ask("EPSV", "229")
	var port int
	if _, err := fmt.Sscanf(reply[strings.IndexByte(reply, '('):], "(|||%d|)", &port); err != nil {
		k.t.Fatal(err)
	}
	if err := ftp.NarrowPorts(h); err != nil {
		k.t.Fatal(err)
	}
	var d net.Dialer
	d.Control = func(_, _ string, c syscall.RawConn) error {
		var en error
		if err := c.Control(func(fd uintptr) { en = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) }); err != nil {
			return err
		}
		return en
	}
	nc, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { nc.Close() })
	return nc
}

func TestSmallFiles(t *testing.T) {
	var h *ftp.Handler
	o := smallFiles(&h)
	onEngines(t, o, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		for range 3 {
			for name, content := range o.Files {
				data := k.passive()
				k.ask("RETR "+name, "150")
				if text, err := io.ReadAll(data); string(text) != content || err != nil {
					t.Errorf("%s: %d bytes, %v", name, len(text), err)
				}
				k.want("226")
			}
		}
		data := k.passive()
		k.ask("RETR none", "550")
		k.ask("REST 2", "350")
		k.ask("RETR tiny", "150")
		if text, err := io.ReadAll(data); string(text) != "ny" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		k.want("226")
		k.ask("RETR tiny", "425")
		data = k.passive()
		k.ask("TYPE A", "200")
		k.ask("RETR tiny", "150")
		if text, err := io.ReadAll(data); string(text) != "tiny" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		k.want("226")
	})
}

// What a peer does not take at once is sent beside the session, which hears
// STAT and ABOR meanwhile.
func TestSmallFileSlowly(t *testing.T) {
	var h *ftp.Handler
	o := smallFiles(&h)
	onEngines(t, o, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		for range 3 {
			data := k.slow(h)
			k.ask("RETR full", "150")
			if reply := k.ask("STAT", "213"); !strings.Contains(reply, "RETR full") {
				t.Error(reply)
			}
			if text, err := io.ReadAll(data); string(text) != o.Files["full"] || err != nil {
				t.Errorf("%d bytes, %v", len(text), err)
			}
			k.want("226")
		}
		k.slow(h)
		k.ask("RETR full", "150")
		k.ask("ABOR", "426")
		k.want("226")
		data := k.slow(h)
		k.ask("RETR full", "150")
		k.say("QUIT")
		if text, err := io.ReadAll(data); string(text) != o.Files["full"] || err != nil {
			t.Errorf("%d bytes, %v", len(text), err)
		}
		k.want("226")
		k.want("221")
		k.end()
		k = loggedIn(t, s.Addr)
		k.slow(h)
		k.ask("RETR full", "150")
		k.nc.Close() // the job ends with its session
	})
}

// Who connected to a port before it was promised to anybody gets nothing.
func TestTooEarlyForData(t *testing.T) {
	var h *ftp.Handler
	onEngines(t, smallFiles(&h), func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		first := k.passive()
		k.ask("RETR tiny", "150")
		if text, err := io.ReadAll(first); string(text) != "tiny" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		k.want("226")
		early, err := net.Dial("tcp", first.RemoteAddr().String()) // the port rests, and is open
		if err != nil {
			t.Fatal(err)
		}
		defer early.Close()
		second := k.passive()
		if second.RemoteAddr().String() != first.RemoteAddr().String() {
			t.Fatal("the port was not offered again")
		}
		k.ask("RETR tiny", "150")
		if text, err := io.ReadAll(second); string(text) != "tiny" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		k.want("226")
		if n, err := early.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%d bytes for whom nobody asked, %v", n, err)
		}
	})
}
