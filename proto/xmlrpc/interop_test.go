//go:build interop

package xmlrpc_test

import (
	"bufio"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/xmlrpc"
)

// The client of the Python that runs it says what it got, a line for each.
const pythonClient = `
# -*- coding: utf-8 -*-
import sys
try:
    import xmlrpc.client as x
except ImportError:
    import xmlrpclib as x
import datetime
s = x.ServerProxy(sys.argv[1], allow_none=True)
print(s.add(2, 3))
print(s.echo([1, True, 2.5, "a<&>b", None, {"k": [1, 2]}]) == [1, True, 2.5, "a<&>b", None, {"k": [1, 2]}])
print(s.echo(x.Binary(b"\x00\xff")).data == b"\x00\xff")
print(s.echo(x.DateTime("19980717T14:08:55")) == x.DateTime("19980717T14:08:55"))
try:
    s.fail("why")
except x.Fault as f:
    print(f.faultCode, f.faultString)
try:
    s.missing()
except x.Fault as f:
    print(f.faultCode)
m = x.MultiCall(s)
m.add(1, 2)
m.add(3, 4)
m.fail("too")
all = m()
print((all[0], all[1]))
try:
    all[2]
except x.Fault as f:
    print(f.faultCode)
print("add" in s.system.listMethods(), s.system.methodHelp("add"), s.system.methodSignature("add"))
print(len(s.echo("x" * 100000)))
`

func TestTutorial71_XMLRPCClientsOfPython(t *testing.T) {
	methods := xmlrpc.Methods{}
	for name, f := range map[string]any{
		"add":  func(a, b int) int { return a + b },
		"echo": func(v any) any { return v },
		"fail": func(why string) error { return &xmlrpc.Fault{Code: 7, String: why} },
	} {
		m, err := xmlrpc.Func(f, name+" it")
		if err != nil {
			t.Fatal(err)
		}
		methods[name] = m
	}
	srv := httptest.NewServer(&xmlrpc.Server{Methods: methods, Options: xmlrpc.Options{Extensions: true}})
	defer srv.Close()
	script := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(script, []byte(strings.TrimLeft(pythonClient, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{2, 3} {
		t.Run(fmt.Sprint("Python ", version), func(t *testing.T) {
			python := foreign.Python(t, version)
			out, err := exec.CommandContext(t.Context(), python, script, srv.URL).CombinedOutput()
			want := "5\nTrue\nTrue\nTrue\n7 why\n-32601\n(3, 7)\n7\nTrue add it [['int', 'int', 'int']]\n100000\n"
			got := strings.NewReplacer("('7', 'why')", "7 why", "(7, 'why')", "7 why", "(True, 'add it', [['int', 'int', 'int']])", "True add it [['int', 'int', 'int']]").Replace(string(out))
			if err != nil || got != want {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

const pythonServer = `
import sys
try:
    from xmlrpc.server import DocXMLRPCServer
    from xmlrpc.client import Fault, Binary, DateTime
except ImportError:
    from DocXMLRPCServer import DocXMLRPCServer
    from xmlrpclib import Fault, Binary, DateTime
s = DocXMLRPCServer(("127.0.0.1", 0), logRequests=False, allow_none=True)
def add(a, b):
    "adds"
    return a + b
def fail(why):
    raise Fault(7, why)
s.register_function(add)
s.register_function(fail)
s.register_function(lambda v: v, "echo")
s.register_function(lambda: Binary(b"\x00\xff" * 1000), "binary")
s.register_function(lambda: DateTime("19980717T14:08:55"), "date")
s.register_introspection_functions()
s.register_multicall_functions()
print(s.server_address[1])
sys.stdout.flush()
s.serve_forever()
`

func TestTutorial71_XMLRPCServersOfPython(t *testing.T) {
	script := filepath.Join(t.TempDir(), "server.py")
	if err := os.WriteFile(script, []byte(strings.TrimLeft(pythonServer, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{2, 3} {
		t.Run(fmt.Sprint("Python ", version), func(t *testing.T) {
			python := foreign.Python(t, version)
			cmd := exec.CommandContext(t.Context(), python, script)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			port, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			elsewhere(t, &xmlrpc.Client{URL: "http://127.0.0.1:" + strings.TrimSpace(port) + "/RPC2", Options: xmlrpc.Options{Extensions: true}})
		})
	}
}

// elsewhere is what our client does at a server of Python's.
func elsewhere(t *testing.T, c *xmlrpc.Client) {
	ctx := t.Context()
	var n int
	if err := c.Call(ctx, "add", []any{2, 3}, &n); err != nil || n != 5 {
		t.Errorf("add: %d %v", n, err)
	}
	sent := map[string]any{"k": []any{1, true, 2.5, "a<&>é", nil}}
	var got any
	if err := c.Call(ctx, "echo", []any{sent}, &got); err != nil || !reflect.DeepEqual(got, any(sent)) {
		t.Errorf("echo: %#v %v", got, err)
	}
	err := c.Call(ctx, "fail", []any{"why"}, nil)
	if fault, ok := err.(*xmlrpc.Fault); !ok || fault.Code != 7 || fault.String != "why" {
		t.Errorf("fail: %v", err)
	}
	var raw []byte
	if err := c.Call(ctx, "binary", nil, &raw); err != nil || len(raw) != 2000 || raw[1] != 0xff {
		t.Errorf("binary: %d bytes, %v", len(raw), err)
	}
	var when time.Time
	if err := c.Call(ctx, "date", nil, &when); err != nil || !when.Equal(time.Date(1998, 7, 17, 14, 8, 55, 0, time.UTC)) {
		t.Errorf("date: %v %v", when, err)
	}
	var names []string
	if err := c.Call(ctx, "system.listMethods", nil, &names); err != nil || len(names) < 5 {
		t.Errorf("names: %v %v", names, err)
	}
	var sum any
	calls := []xmlrpc.One{{Method: "add", Args: []any{1, 2}, Result: &sum}, {Method: "fail", Args: []any{"x"}}}
	if err := c.Multicall(ctx, calls); err != nil || sum != 3 || calls[1].Err == nil {
		t.Errorf("multicall: %v %v %v", sum, calls[1].Err, err)
	}
}
