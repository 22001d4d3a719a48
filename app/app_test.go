package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run listens and serves until the test has ended.
func run(t *testing.T, cfg app.Config) app.Ready {
	t.Helper()
	a, err := app.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	servertest.Run(t, a.Serve)
	return a.Ready()
}

// at makes Places of SERVICE=ADDRESS.
func at(t *testing.T, places ...string) []app.Place {
	t.Helper()
	var out []app.Place
	for _, s := range places {
		p, err := app.ParseListen(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// capitals asks an upper service.
func capitals(t *testing.T, url string) string {
	t.Helper()
	endpoint := strings.Replace(url, "://", ":", 1)
	d, connect := dial.Dialer{}, (*dial.Dialer).DialNet
	if strings.HasPrefix(url, "udp:") {
		connect = (*dial.Dialer).DialPacket
	}
	c, err := connect(&d, t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := simple.Upper(t.Context(), c, []byte("abc\n"))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestCatalogue(t *testing.T) {
	ports := map[int]string{}
	for _, s := range app.Catalogue() {
		if s.About == "" || s.Serve < 1024 || !s.Server || s.Try == "" || strings.Count(s.Try, "%s") != 1 {
			t.Errorf("%+v", s)
		}
		if s.Stream == nil && s.Packets == nil || (s.Stream != nil) != s.Protocol.Stream || (s.Packets != nil) != s.Protocol.Packet {
			t.Errorf("%s: the description and the handlers differ", s.Name)
		}
		if other := ports[s.Serve]; other != "" {
			t.Errorf("%s and %s have the same port", s.Name, other)
		}
		ports[s.Serve] = s.Name
	}
}

func TestOneAddressForBothNetworks(t *testing.T) {
	for range 20 {
		r := run(t, app.Config{Listen: at(t, "upper=:0")})
		if len(r.Services) != 2 || r.Services[0].Network != "tcp" || r.Services[1].Network != "udp" ||
			r.Services[0].Address != r.Services[1].Address || !strings.HasPrefix(r.Services[0].Address, "127.0.0.1:") {
			t.Fatalf("%+v", r.Services)
		}
		for _, s := range r.Services {
			if got := capitals(t, s.URL); got != "ABC" {
				t.Errorf("%s: %q", s.URL, got)
			}
		}
	}
}

func TestEveryKindOfAddress(t *testing.T) {
	dir := servertest.Dir(t)
	path, gram := filepath.Join(dir, "s"), filepath.Join(dir, "g")
	r := run(t, app.Config{Listen: at(t, "upper=:0", "upper=tcp:localhost:0", "upper=udp:127.0.0.1:0", "upper=unix:"+path, "upper=unixgram:"+gram)})
	var networks []string
	for _, s := range r.Services {
		networks = append(networks, s.Network)
		if s.URL != s.Network+"://"+s.Address || s.Name != "upper" {
			t.Errorf("%+v", s)
		}
		if s.Network == "unixgram" {
			continue // its client needs a name too
		}
		if got := capitals(t, s.URL); got != "ABC" {
			t.Errorf("%s: %q", s.URL, got)
		}
	}
	if got := strings.Join(networks, " "); got != "tcp udp tcp udp unix unixgram" {
		t.Error(got)
	}
	c, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "c"), Net: "unixgram"}, &net.UnixAddr{Name: gram, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := simple.Upper(t.Context(), c, []byte("gram")); err != nil || string(got) != "GRAM" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnixPathsAreRemovedAndStaleOnesReplaced(t *testing.T) {
	dir := servertest.Dir(t)
	for _, network := range []string{"unix", "unixgram"} {
		path := filepath.Join(dir, network)
		where := at(t, "upper="+network+":"+path)
		stale, err := net.ListenPacket("unixgram", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := app.Listen(t.Context(), app.Config{Listen: where}); err == nil {
			t.Errorf("%s: the path of a socket that lives was taken", network)
		} else if strings.Contains(err.Error(), ":0") || !strings.Contains(err.Error(), "--listen upper="+network+":PATH") {
			t.Errorf("%s: the advice is wrong: %v", network, err)
		}
		stale.Close()
		a, err := app.Listen(t.Context(), app.Config{Listen: where})
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s: the path is still there", network)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Listen(t.Context(), app.Config{Listen: where}); err == nil {
			t.Errorf("%s: a file was replaced", network)
		}
	}
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	l.Close()
	r := run(t, app.Config{Listen: at(t, "upper=[::1]:0", "upper=[::]:0")})
	for i, s := range r.Services {
		if !strings.HasPrefix(s.Address, [...]string{"[::1]:", "[::1]:", "[::]:", "[::]:"}[i]) {
			t.Errorf("%+v", s)
		}
		_, port := s.HostPort()
		if got := capitals(t, s.Network+"://[::1]:"+port); got != "ABC" {
			t.Errorf("%s: %q", s.URL, got)
		}
		if i >= 2 { // both kinds of peers
			if got := capitals(t, s.Network+"://127.0.0.1:"+port); got != "ABC" {
				t.Errorf("%s: %q", s.URL, got)
			}
		}
	}
}

// notices collects what a Config has to say.
type notices struct {
	mu    sync.Mutex
	lines []string
}

func (n *notices) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notices) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

func TestWideIsSaid(t *testing.T) {
	var said notices
	run(t, app.Config{Listen: at(t, "echo=0.0.0.0:0", "upper=:0"), Notice: said.add})
	if got := said.String(); strings.Count(got, "\n") != 0 || !strings.Contains(got, "echo listens on every interface") || !strings.Contains(got, "0.0.0.0:") {
		t.Errorf("%q", got)
	}
}

// occupied takes a port in one network.
func occupied(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pc.Close() })
		return pc.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestTutorial49_TakenPort(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		address := occupied(t, network)
		_, err := app.Listen(t.Context(), app.Config{Listen: at(t, "echo="+network+":"+address)})
		if err == nil || isConfigError(err) || !strings.Contains(err.Error(), "listening for echo on "+network+" "+address+": address already in use") {
			t.Errorf("%v", err)
		}
	}
}

// takeDefaults occupies the services' own ports, those that are still free.
func takeDefaults(t *testing.T, names ...string) {
	t.Helper()
	for _, s := range app.Catalogue() {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.Serve)); err == nil {
			t.Cleanup(func() { l.Close() })
		}
	}
}

func TestDefaultPortsAreSkipped(t *testing.T) {
	takeDefaults(t, "echo", "upper")
	var said notices
	a, err := app.Listen(t.Context(), app.Config{Notice: said.add})
	if err != nil && strings.Contains(err.Error(), "every port is taken") {
		t.Skip("other programs have all of the other ports: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, name := range []string{"echo", "upper"} {
		if !slices.ContainsFunc(a.Ready().Skipped, func(s app.Skipped) bool { return s.Name == name && s.Error == "address already in use" }) {
			t.Errorf("%s is not skipped: %+v", name, a.Ready().Skipped)
		}
		if slices.ContainsFunc(a.Ready().Services, func(s app.Listening) bool { return s.Name == name }) {
			t.Errorf("half of %s is served", name)
		}
		if got := said.String(); strings.Count(got, name+" is skipped") != 1 {
			t.Errorf("%q", got)
		}
	}
	// By name it is a failure, and so is an address that was given.
	_, err = app.Listen(t.Context(), app.Config{Services: []string{"echo"}})
	if err == nil || !strings.Contains(err.Error(), "echo on tcp 127.0.0.1:50007") {
		t.Errorf("%v", err)
	}
}

func TestNothingLeft(t *testing.T) {
	takeDefaults(t)
	if a, err := app.Listen(t.Context(), app.Config{}); err == nil {
		a.Close()
		t.Error("it runs without a service")
	} else if !strings.Contains(err.Error(), "every port is taken") {
		t.Error(err)
	}
}

func TestOwnName(t *testing.T) {
	leads := func(addrs ...string) func(context.Context) (string, []netip.Addr, error) {
		return func(context.Context) (string, []netip.Addr, error) {
			var out []netip.Addr
			for _, a := range addrs {
				out = append(out, netip.MustParseAddr(a))
			}
			return "box", out, nil
		}
	}
	var said notices
	for _, c := range []struct {
		listen    string
		leads     []string
		hosts     string // of the listeners
		notice    string
		needsMore bool // addresses of 127.0.0.0/8 that not every system has
	}{
		{"greet=:0", []string{"127.0.0.1"}, "127.0.0.1", "", false},
		{"greet=:0", []string{"127.0.1.1"}, "127.0.0.1 127.0.1.1", "", true},
		{"greet=:0", []string{"192.0.2.7"}, "127.0.0.1", "--listen greet=192.0.2.7:", false},
		{"greet=:0", []string{"127.0.1.1", "192.0.2.7"}, "127.0.0.1 127.0.1.1", "", true},
		{"greet=127.0.0.1:0", []string{"127.0.1.1"}, "127.0.0.1", "", false}, // an address that was given is all
		{"upper=tcp::0", []string{"127.0.1.1"}, "127.0.0.1", "", false},      // only greet's client goes there
	} {
		said.lines = nil
		if l, err := net.Listen("tcp", "127.0.1.1:0"); err != nil && c.needsMore {
			t.Log("not here: ", err)
			continue
		} else if err == nil {
			l.Close()
		}
		r := run(t, app.Config{Listen: at(t, c.listen), OwnName: leads(c.leads...), Notice: said.add})
		var hosts, ports []string
		for _, s := range r.Services {
			host, port := s.HostPort()
			hosts, ports = append(hosts, host), append(ports, port)
		}
		if got := strings.Join(hosts, " "); got != c.hosts || len(slices.Compact(ports)) != 1 {
			t.Errorf("%v: %s at %v, want %s", c.leads, got, ports, c.hosts)
		}
		if got := said.String(); (got == "") != (c.notice == "") || !strings.Contains(got, c.notice) {
			t.Errorf("%v: it said %q, want %q", c.leads, got, c.notice)
		}
	}
}

func TestReadyFile(t *testing.T) {
	r := run(t, app.Config{Listen: at(t, "echo=:0")})
	path := filepath.Join(t.TempDir(), "ready")
	if err := r.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(b, &back); err != nil || string(b) != string(r.Line()) || strings.Count(string(b), "\n") != 1 {
		t.Errorf("%v: %s", err, b)
	}
	want := fmt.Sprintf(`{"ready":true,"pid":%d,"ca_file":"","skipped":[],"services":[{"name":"echo","network":"tcp","address":%q,"url":"tcp://%s"},`,
		os.Getpid(), r.Services[0].Address, r.Services[0].Address)
	if !strings.HasPrefix(string(b), want) {
		t.Errorf("%s\nwant it to begin\n%s", b, want)
	}
	if err := r.WriteFile(filepath.Join(path, "x")); err == nil {
		t.Error("it was written into a file")
	}
}

func TestRefused(t *testing.T) {
	for word, cfg := range map[string]app.Config{
		"did you mean echo?":             {Services: []string{"ecko"}},
		"not spoken over datagrams":      {Listen: at(t, "greet=udp::0")},
		"no such engine":                 {Engine: "threads"},
		"together":                       {Cert: "x"},
		"for the events engine":          {Engine: "goroutines", Events: server.EventOptions{Spin: 1}},
		"want 1 to":                      {Events: server.EventOptions{Loops: -1}},
		"one standard input":             {Listen: at(t, "echo=inetd:", "upper=inetd:")},
		"starts each server":             {Listen: at(t, "echo=inetd:"), Handover: &server.Handover{}},
		"not among the services":         {Services: []string{"echo"}, Faults: []string{"upper do=close"}},
		`did you mean "reset"`:           {Faults: []string{"echo do=rset"}},
		"echo has no verbs":              {Faults: []string{`echo HELO reply="NO"`}},
		"certificate /none, key /none: ": {Cert: "/none", Key: "/none", Listen: at(t, "echo=tls::0")},
	} {
		a, err := app.Listen(t.Context(), cfg)
		if err == nil {
			a.Close()
		}
		if !isConfigError(err) || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, word)
		}
	}
}

// A server at "localhost" is where Python's is: on IPv4.
func TestTutorial61_Localhost(t *testing.T) {
	for _, s := range run(t, app.Config{Listen: at(t, "upper=localhost:0")}).Services {
		if !strings.HasPrefix(s.Address, "127.0.0.1:") {
			t.Errorf("%+v", s)
		}
	}
}

// Nothing is sent twice in silence: the datagrams that were lost are missing,
// and the others are there, each once.
func TestTutorial70_LossIsVisible(t *testing.T) {
	cfg := app.Config{Listen: at(t, "echo=udp:127.0.0.1:0"), Faults: []string{"echo do=lose dir=in n=3", "echo do=lose dir=out n=5"}}
	c, err := net.Dial("udp", run(t, cfg).Services[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	for !strings.HasSuffix(got, "8") {
		buf := make([]byte, 16)
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(got, err)
		}
		got += string(buf[:n])
	}
	if got != "124578" { // the third that came, and the fifth answer, are missing
		t.Errorf("%q came back", got)
	}
}

// The events engine on io_uring serves, or it is said why it cannot.
func TestEngineOnURing(t *testing.T) {
	err := server.EventOptions{Uring: server.UringAlways}.Check()
	if err != nil {
		_, got := app.Listen(t.Context(), app.Config{Engine: "uring", Listen: at(t, "echo=:0")})
		if !isConfigError(got) || !strings.Contains(got.Error(), err.Error()) {
			t.Errorf("%v, want %v", got, err)
		}
		t.Skip("no io_uring here: ", err)
	}
	for _, s := range run(t, app.Config{Engine: "uring", Listen: at(t, "echo=tcp:127.0.0.1:0")}).Services {
		c, err := net.Dial("tcp", s.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		b := make([]byte, 5)
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Errorf("%q, %v", b, err)
		}
	}
}
