package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/examples"
)

func ExampleGet() {
	p, err := examples.Get("greet-client")
	fmt.Println(p.About, err)
	// Output: the tutorials' simple client <nil>
}

func TestAllAreWhole(t *testing.T) {
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob("*/main.go")
	if err != nil || len(folders) != len(all) {
		t.Errorf("%d folders, %d programs, %v", len(folders), len(all), err)
	}
	for _, p := range all {
		if p.About == "" || !strings.Contains(p.Go, "package main") || len(p.Py) == 0 {
			t.Errorf("%s is not whole", p.Name)
		}
	}
	if _, err := examples.Get("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown name is answered with %v", err)
	}
}

// built gives the folder with the compiled programs.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "examples")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+string(os.PathSeparator), "./...").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// ours is the command line of one of our programs.
func ours(t *testing.T, name string, args ...string) []string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{filepath.Join(dir, name)}, args...)
}

// freePort is a port that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// output is what a program prints, gathered while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// background starts a server program and ends it with the test.
func background(t *testing.T, argv []string) *output {
	t.Helper()
	out := &output{}
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return out
}

// run runs a client program until its server is there and gives what it
// prints.
func run(t *testing.T, argv []string) string {
	t.Helper()
	var out []byte
	eventually(t, strings.Join(argv, " "), func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var err error
		out, err = exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
		return err == nil
	})
	return string(out)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: never", what)
		}
	}
}

// needOwnName skips where this host's name leads to no address of its own.
func needOwnName(t *testing.T) {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Skip("this host has no name: ", err)
	}
	l, err := net.Listen("tcp4", net.JoinHostPort(name, "0"))
	if err != nil {
		t.Skipf("this host's name %q leads to no IPv4 address that can be bound: %v", name, err)
	}
	l.Close()
}

var peerLine = regexp.MustCompile(`^Got connection from \('\d+\.\d+\.\d+\.\d+', \d+\)$`)

// greetTen runs the greeting client ten times against a server.
func greetTen(t *testing.T, serverArgs, clientArgs []string) {
	t.Helper()
	out := background(t, serverArgs)
	for i := range 10 {
		if got := run(t, clientArgs); got != "Thank you for connecting\n" {
			t.Fatalf("client %d printed %q", i, got)
		}
	}
	eventually(t, "ten peer lines", func() bool { return strings.Count(out.String(), "\n") >= 10 })
	lines := bufio.NewScanner(strings.NewReader(out.String()))
	for lines.Scan() {
		if !peerLine.MatchString(lines.Text()) {
			t.Errorf("the server printed %q", lines.Text())
		}
	}
}

func TestTutorial36_GreetOursWithOurs(t *testing.T) {
	needOwnName(t)
	port := freePort(t)
	greetTen(t, ours(t, "greet-server", "-port", port), ours(t, "greet-client", "-port", port))
}

func TestTutorial47_EchoOursWithOurs(t *testing.T) {
	port := freePort(t)
	out := background(t, ours(t, "echo-server", "-port", port))
	if got := run(t, ours(t, "echo-client", "-host", "127.0.0.1", "-port", port)); got != "受信データ b'Hello, world'\n" {
		t.Errorf("the client printed %q", got)
	}
	line := regexp.MustCompile(`^接続されました by \('127\.0\.0\.1', \d+\)\n$`)
	eventually(t, "the peer's line", func() bool { return line.MatchString(out.String()) })
}

const words = "grüße ça 日本 🙂 hello"

func checkUpper(t *testing.T, out *output, client string) {
	t.Helper()
	if want := "Sent:     " + words + "\nReceived: GRüßE çA 日本 🙂 HELLO\n"; client != want {
		t.Errorf("the client printed %q", client)
	}
	want := `127.0.0.1 wrote:
b'gr\xc3\xbc\xc3\x9fe \xc3\xa7a \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x99\x82 hello'
`
	eventually(t, "what the client wrote", func() bool { return out.String() == want })
}

func TestTutorial61_UpperOursWithOurs(t *testing.T) {
	port := freePort(t)
	out := background(t, ours(t, "upper-server", "-address", "127.0.0.1:"+port))
	checkUpper(t, out, run(t, ours(t, "upper-client", "-host", "127.0.0.1", "-port", port, words)))
}

func TestTutorial68_UpperUDPOursWithOurs(t *testing.T) {
	port := freePort(t)
	out := background(t, ours(t, "upper-udp-server", "-address", "127.0.0.1:"+port))
	checkUpper(t, out, run(t, ours(t, "upper-udp-client", "-host", "127.0.0.1", "-port", port, "-wait", "1s", words)))
}

func TestTutorial81_NameLookup(t *testing.T) {
	out := run(t, ours(t, "name-lookup", "127.0.0.1"))
	name, err := os.Hostname()
	if err != nil {
		t.Skip("this host has no name: ", err)
	}
	want := regexp.MustCompile(`^\[\(2, 1, \d+, '', \('127\.0\.0\.1', 80\)\)\]\n` + regexp.QuoteMeta(name) + "\n$")
	if !want.MatchString(out) {
		t.Errorf("it printed %q", out)
	}
}
