//go:build interop

package telnet_test

import (
	"bytes"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/socket"
)

// TestTutorial77_SynchOfInetutils has a person at inetutils' client take back
// what nobody has read, by "send synch".
func TestTutorial77_SynchOfInetutils(t *testing.T) {
	path := foreign.Program(t, "inetutils-telnet")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	ctx := within30s(t)
	cmd := exec.CommandContext(ctx, path, host, port)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	defer cmd.Wait() //nolint:errcheck // its end is the connection's
	defer tty.Close()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	screen := func(until string) {
		t.Helper()
		var seen []byte
		for one := make([]byte, 1); !bytes.HasSuffix(seen, []byte(until)); seen = append(seen, one...) {
			if _, err := tty.Read(one); err != nil {
				t.Fatalf("%v behind %q", err, seen)
			}
		}
	}
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	until := func(come func(fd uintptr) bool) {
		t.Helper()
		for done := false; !done && ctx.Err() == nil; runtime.Gosched() {
			if err := raw.Control(func(fd uintptr) { done = come(fd) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	tty.WriteString("never\n")
	until(func(fd uintptr) bool { // it has made the terminal its own
		n, _, _ := syscall.Recvfrom(int(fd), make([]byte, 16), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return n == len("never\r\n")
	})
	tty.WriteString("\x1d")
	screen("telnet> ")
	tty.WriteString("send synch\n")
	until(func(fd uintptr) bool {
		ahead, err := socket.UrgentAhead(fd)
		return ahead || err != nil
	})
	if _, err := tty.WriteString("then\n"); err != nil {
		t.Fatal(err)
	}
	var told []telnet.Command
	c := telnet.NewClient(conv.New(nc, conv.Options{}), telnet.ClientOptions{Notify: func(e telnet.Event) error {
		told = append(told, e.Command)
		return nil
	}})
	got, err := c.ReadUntil(ctx, "\n")
	if err != nil || string(got) != "then\r\n" || len(told) != 1 || told[0] != telnet.DM {
		t.Errorf("%q, %v, told %v", got, err, told)
	}
}
