//go:build interop

package cli_test

import (
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
)

// pythonEcho is the echo server of Python's socketserver page, with threads.
const pythonEcho = `
import socketserver, sys
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
with Server(("127.0.0.1", 0), Echo) as s:
    print(s.server_address[1], flush=True)
    s.serve_forever()
`

// pythonPackets answers datagrams, but not those that a multiple of ten went before.
const pythonPackets = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
n = 0
while True:
    data, peer = s.recvfrom(65535)
    n += 1
    if n % 10:
        s.sendto(data, peer)
`

func TestBenchOfPython(t *testing.T) {
	port := foreign.PythonServer(t, foreign.Python(t, 3), pythonEcho)()
	for _, args := range []string{
		"-n 2000 -c 20 --send hello\\n --expect line",
		"-n 2000 -c 20 --depth 4 --send hello\\n",
		"-n 500 -c 20 --rate 2000 --send hello\\n --expect text:hello\\n",
		"-n 200 -c 10 --reconnect --as line",
	} {
		code, out, errs := bench(t.Context(), append(strings.Fields(args), "--max", "errors<1", "tcp://127.0.0.1:"+port)...)
		if code != 0 {
			t.Errorf("%s: exit %d\n%s%s", args, code, out, errs)
		}
	}
}

func TestBenchOfPythonThatLosesDatagrams(t *testing.T) {
	port := foreign.PythonServer(t, foreign.Python(t, 3), pythonPackets)()
	code, out, errs := bench(t.Context(), "udp://127.0.0.1:"+port, "-n", "50", "-c", "5", "--timeout", "5s", "--max", "lost<=5", "--max", "errors<1")
	if code != 0 || !strings.Contains(out, "lost      5 of 50 (10 %)") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
