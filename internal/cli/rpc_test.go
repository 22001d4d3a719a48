package cli

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/xmlrpc"
	"github.com/farend-go/farend/proto/xmlrpc/xmlrpctest"
)

// rpcFarEnd is a server with a method that gives back what it is asked.
func rpcFarEnd(t *testing.T) *xmlrpctest.Server {
	t.Helper()
	echo, err := xmlrpc.Func(func(args ...any) []any { return append([]any{}, args...) }, "")
	if err != nil {
		t.Fatal(err)
	}
	return xmlrpctest.New(t, xmlrpc.Methods{"echo": echo}, xmlrpc.Options{Extensions: true})
}

func TestRPCArguments(t *testing.T) {
	far := rpcFarEnd(t)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("Hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := farend(t, "", "rpc", far.URL, "echo", "3", "3.0", "-1", "true", "null", `"3"`, "word", "two words", `[1,{"k":2.5}]`,
		"date:2026-11-21T10:00:00", "base64:SGk=", "@"+file, "1099511627776", "1 2")
	want := `[3,3.0,-1,true,null,"3","word","two words",[1,{"k":2.5}],"2026-11-21T10:00:00","SGk=","SGk=",1099511627776,"1 2"]` + "\n"
	if got.code != 0 || got.out != want {
		t.Errorf("%+v, want %s", got, want)
	}
}

func TestRPCFailures(t *testing.T) {
	far := rpcFarEnd(t)
	far.Fail("echo", &xmlrpc.Fault{Code: 7, String: "not\ntoday"})
	missing := httptest.NewServer(nil)
	defer missing.Close()
	sealed := httptest.NewUnstartedServer(nil)
	sealed.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is refused
	sealed.StartTLS()
	defer sealed.Close()
	for _, c := range []struct {
		args string
		code int
		err  string
	}{
		{"rpc " + far.URL + " echo", 1, "farend: rpc echo: fault 7: not today\n"},
		{"rpc " + far.URL + " nothing", 1, "farend: rpc nothing: fault -32601: there is no method nothing\n"},
		{"rpc " + far.URL + " echo base64:!", 2, "not base64"},
		{"rpc " + far.URL + " echo date:soon", 2, "want date:"},
		{"rpc " + far.URL + " echo @/nowhere/at/all", 2, "no such file"},
		{"rpc " + far.URL, 2, "want a URL and the name of a method"},
		{"rpc ftp://localhost/ echo", 2, "want http://HOST:PORT/PATH"},
		{"rpc http://127.1:1/ echo", 2, "only in full (127.0.0.1)"},
		{"rpc " + missing.URL + "/x echo", 1, "answers HTTP 404"},
		{"rpc " + sealed.URL + " echo", 1, "(-k takes any certificate, --cacert FILE trusts its authority)"},
		{"rpc --cacert /nowhere " + far.URL + " echo", 1, "--cacert"},
		{"rpc --plain " + far.URL + " echo null", 1, "extension"},
	} {
		got := farend(t, "", strings.Fields(c.args)...)
		if got.code != c.code || got.out != "" || !strings.Contains(got.err, c.err) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%s: %+v, want status %d and %q", c.args, got, c.code, c.err)
		}
	}
}

// What farend serve http answers at /RPC2.
func TestTutorial71_RPC(t *testing.T) {
	place, err := app.ParseListen("http=127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Listen(t.Context(), app.Config{Listen: []app.Place{place}})
	if err != nil {
		t.Fatal(err)
	}
	servertest.Run(t, a.Serve)
	url := a.Ready().Services[0].URL
	for args, want := range map[string]string{
		"add 2 3":                    "5\n",
		"add 2.5 3":                  "5.5\n",
		"upper hello":                "\"HELLO\"\n",
		"echo":                       "[]\n",
		"echo 1 x":                   "[1,\"x\"]\n",
		"system.methodSignature add": "[[\"int\",\"int\",\"int\"],[\"double\",\"double\",\"double\"]]\n",
	} {
		if got := farend(t, "", append([]string{"rpc", url + "/RPC2"}, strings.Fields(args)...)...); got.code != 0 || got.out != want {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if got := farend(t, "", "rpc", url, "fail"); got.code != 1 || got.out != "" {
		t.Errorf("fail: %+v", got)
	}
}
