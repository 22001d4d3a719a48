package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/farend-go/farend/proto/xmlrpc"
)

// pythonRPC is what a program of Python's would serve.
const pythonRPC = `
import sys
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCServer, SimpleXMLRPCRequestHandler
class Handler(SimpleXMLRPCRequestHandler):
    protocol_version = "HTTP/1.1"
class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
s = Server(("127.0.0.1", 0), Handler, logRequests=False)
s.register_function(lambda a, b: a + b, "add")
print(s.server_address[1], flush=True)
s.serve_forever()
`

// rpcRows are calls of XML-RPC, one after the other on a connection.
func (l *lab) rpcRows() []row {
	calls := 20000
	if l.quick {
		calls = 200
	}
	return []row{{
		name: "xmlrpc, add of two numbers", unit: "call", units: float64(calls), scale: 1e6,
		servers: []server{farend("http"), {"Python's xmlrpc.server, HTTP/1.1, threads", "python3", startPythonRPC}},
		work: func(ctx context.Context, _ *lab, s *site) error {
			c := &xmlrpc.Client{URL: s.at["url"] + "/RPC2"}
			for i := range calls {
				var sum int
				if err := c.Call(ctx, "add", []any{i, 1}, &sum); err != nil {
					return err
				}
				if sum != i+1 {
					return fmt.Errorf("%d + 1 is %d", i, sum)
				}
			}
			return nil
		},
	}}
}

func startPythonRPC(ctx context.Context, _ *lab, _ string) (*site, error) {
	cmd := exec.CommandContext(ctx, find("python3"), "-c", pythonRPC)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p, err := start(cmd)
	if err != nil {
		return nil, err
	}
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	return &site{process: p, at: map[string]string{"address": address, "url": "http://" + address}}, nil
}
