//go:build interop

package foreign

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
)

// HAProxy starts haproxy before a server, whose line in the configuration ends
// in how, and gives where it is reached. Nobody has connected to see whether it
// is there: it listens on a socket of ours.
func HAProxy(t testing.TB, server, how string) net.Addr {
	t.Helper()
	name, dir := Program(t, "haproxy"), t.TempDir()
	front, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	f, err := front.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	Write(t, dir, map[string]string{"conf": fmt.Sprintf("defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n"+
		"listen l\n bind fd@3\n server s %s %s\n", server, how)})
	cmd := exec.Command(name, "-db", "-f", dir+"/conf")
	var said bytes.Buffer
	cmd.ExtraFiles, cmd.Stderr = []*os.File{f}, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy: %s", said.String())
		}
	})
	return front.Addr()
}
