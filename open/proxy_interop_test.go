//go:build interop

package open_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
)

// tinyproxy is an HTTP proxy, which also tunnels by CONNECT.
func tinyproxy(t *testing.T) string {
	program, dir := foreign.Program(t, "tinyproxy"), t.TempDir()
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		config := filepath.Join(dir, "conf")
		text := fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth klem kadiddlehopper\n", port)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(program, "-d", "-c", config)
	})
	return "http://klem:kadiddlehopper@127.0.0.1:" + port
}

// microsocks is a SOCKS5 proxy.
func microsocks(t *testing.T) string {
	program := foreign.Program(t, "microsocks")
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(program, "-i", "127.0.0.1", "-p", port, "-u", "klem", "-P", "kadiddlehopper")
	})
	return "socks5://klem:kadiddlehopper@127.0.0.1:" + port
}

// TestProxiesOfOthers goes through a proxy of each kind to http, https and ftp:
// in clear, over TLS, and with a wrong password.
func TestProxiesOfOthers(t *testing.T) {
	for name, start := range map[string]func(*testing.T) string{"HTTP CONNECT by tinyproxy": tinyproxy, "SOCKS5 by microsocks": microsocks} {
		t.Run(name, func(t *testing.T) {
			proxy := start(t)
			plain := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "in %q", r.Header["Proxy-Authorization"])
			})
			secure := tlsSite(t)
			c := build(t, open.HTTPSHandler{TLS: testcert.Client(t)}, open.ProxyHandler{Proxies: map[string]string{"all": proxy}})
			for _, url := range []string{plain.URL, secure, plain.URL} {
				if resp, body := get(t, c, url); resp.StatusCode != 200 || body != "in []" {
					t.Errorf("%s: %s, %q", url, resp.Status, body)
				}
			}
			wrong := build(t, open.HTTPSHandler{TLS: testcert.Client(t)}, open.ProxyHandler{Proxies: map[string]string{"all": strings.Replace(proxy, "klem:", "klem:x", 1)}})
			// tinyproxy says 401 then, and not 407.
			if err := fetchErr(t, wrong, secure); !strings.Contains(err.Error(), "Unauthorized") && !strings.Contains(err.Error(), "authentication failed") {
				t.Errorf("a wrong password: %v", err)
			}
			byFTP(t, proxy)
		})
	}
}

// byFTP transfers files with control and data connections through a proxy.
func byFTP(t *testing.T, proxy string) {
	t.Helper()
	content := strings.Repeat("0123456789", 100_000)
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": content}})
	p, err := dial.ParseProxy(proxy)
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"tcp", "starttls"} {
		o := s.Options()
		o.Dialer.Proxy = p
		c, err := ftp.Dial(t.Context(), s.Endpoint(scheme), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(t.Context(), ftptest.User, ftptest.Password, ""); err != nil {
			t.Fatal(err)
		}
		b, err := c.Retrieve(t.Context(), "f", ftp.RetrieveOptions{Size: int64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", scheme, len(got), err)
		}
		if _, err := c.Store(t.Context(), "up", strings.NewReader(content), ftp.StoreOptions{}); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
