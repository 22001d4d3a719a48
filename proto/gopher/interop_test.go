//go:build interop

package gopher_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/proto/gopher/gophertest"
)

// output runs a program and gives what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, foreign.Program(t, name), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.Bytes())
	}
	return string(out)
}

var interopFiles = map[string]string{
	"hello.txt": "Hello gopher\n.hidden?\n.\n", "blob.bin": strings.Repeat("\x00\xff\r\n.\r\n", 100_000), "sub/deep.txt": "deep\n", "two words.txt": "x\n",
}

func TestTutorial78_CurlAtOurServer(t *testing.T) {
	if v := output(t, "curl", "--version"); !strings.Contains(v, " gopher ") {
		t.Skip("this curl speaks no gopher")
	}
	for engine, e := range engines {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%v", engine, tls), func(t *testing.T) {
				s := gophertest.New(t, interopFiles, gophertest.Options{TLS: tls, Engine: e()})
				curl := func(u gopher.URL) string { return output(t, "curl", "-sSk", u.String()) }
				if got := curl(s.At(gopher.Binary, "/blob.bin")); got != interopFiles["blob.bin"] {
					t.Errorf("%d bytes of %d", len(got), len(interopFiles["blob.bin"]))
				}
				// curl shows the transfer as it is
				if got, want := curl(s.At(gopher.Text, "/hello.txt")), "Hello gopher\r\n..hidden?\r\n..\r\n.\r\n"; got != want {
					t.Errorf("%q, want %q", got, want)
				}
				if got, want := curl(s.URL), fmt.Sprintf("1sub\t/sub\t127.0.0.1\t%d\t+\r\n", s.URL.Port); !strings.Contains(got, want) {
					t.Errorf("%q, want %q in it", got, want)
				}
				u := s.At(gopher.Search, "search:/")
				u.Search = "hello gopher"
				if got := curl(u); !strings.HasPrefix(got, "0hello.txt\t/hello.txt\t") {
					t.Errorf("search: %q", got)
				}
				if got := curl(s.At(gopher.Text, "/two words.txt")); got != "x\r\n.\r\n" {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

func TestTutorial78_LynxAtOurServer(t *testing.T) {
	s := gophertest.New(t, interopFiles, gophertest.Options{})
	lynx := func(u gopher.URL) string { return output(t, "lynx", "-cfg=/dev/null", "-dump", u.String()) }
	menu := lynx(s.URL)
	for _, want := range []string{"hello.txt", "blob.bin", "sub", "Search names and texts", fmt.Sprintf("gopher://127.0.0.1:%d/0/hello.txt", s.URL.Port)} {
		if !strings.Contains(menu, want) {
			t.Errorf("%q is missing in\n%s", want, menu)
		}
	}
	// lynx shows a text as it was sent, like curl: it takes no dots away
	if text := lynx(s.At(gopher.Text, "/hello.txt")); !strings.HasPrefix(text, "Hello gopher\n") {
		t.Errorf("text:\n%s", text)
	}
	u := s.At(gopher.Search, "search:/")
	u.Search = "deep"
	if found := lynx(u); !strings.Contains(found, "sub/deep.txt") {
		t.Errorf("search:\n%s", found)
	}
}

// gophernicus serves a directory through socat, as inetd would.
func gophernicus(t *testing.T) (u gopher.URL, dir string) {
	t.Helper()
	socat, daemon := foreign.Program(t, "socat"), foreign.Program(t, "gophernicus")
	dir = foreign.Dir(t)
	foreign.Write(t, dir, interopFiles)
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(socat, "TCP-LISTEN:"+port+",bind=127.0.0.1,reuseaddr,fork",
			fmt.Sprintf("EXEC:%s -h 127.0.0.1 -p %s -r %s -nm -nx -nq -nr,nofork", daemon, port, dir))
	})
	u, err := gopher.ParseURL("gopher://127.0.0.1:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	return u, dir
}

func TestTutorial78_OurClientAtGophernicus(t *testing.T) {
	u, _ := gophernicus(t)
	var c gopher.Client
	read := func(u gopher.URL) (string, error) {
		r, err := c.Get(t.Context(), u)
		if err != nil {
			return "", err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err
	}
	found := map[string]gopher.URL{}
	for item, err := range c.Menu(t.Context(), u) {
		if err != nil {
			t.Fatal(err)
		}
		found[item.Selector] = u.To(item)
	}
	if sub := found["/sub/"]; sub.Type != gopher.Menu {
		t.Fatalf("%v", found)
	}
	if got, err := read(found["/hello.txt"]); err != nil || strings.ReplaceAll(got, "\r\n", "\n") != "Hello gopher\n.hidden?\n" && strings.ReplaceAll(got, "\r\n", "\n") != interopFiles["hello.txt"] {
		t.Errorf("%q %v", got, err)
	}
	bin := found["/blob.bin"]
	if got, err := read(bin); err != nil || got != interopFiles["blob.bin"] {
		t.Errorf("%s: %d bytes of %d, %v", bin, len(got), len(interopFiles["blob.bin"]), err)
	}
	if err := menuHas(t.Context(), &c, found["/sub/"], "/sub/deep.txt"); err != nil {
		t.Error(err)
	}
	nothing := u
	nothing.Selector = "/nothing/" // without the slash the answer is a text that says so
	if _, err := read(nothing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a menu that is not there: %v", err)
	}
	caps, err := c.Caps(t.Context(), u)
	if err != nil || caps.Get("ServerSoftware") != "Gophernicus" {
		t.Errorf("%v %v", caps, err)
	}
	for _, err := range c.Attributes(t.Context(), found["/hello.txt"]) {
		if !errors.Is(err, gopher.ErrAttributes) {
			t.Errorf("it knows no Gopher+, and yet: %v", err)
		}
	}
}

// menuHas looks for a selector.
func menuHas(ctx context.Context, c *gopher.Client, u gopher.URL, selector string) error {
	for item, err := range c.Menu(ctx, u) {
		if err != nil || item.Selector == selector {
			return err
		}
	}
	return fmt.Errorf("%s: %s is missing", u, selector)
}
