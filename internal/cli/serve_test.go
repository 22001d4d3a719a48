package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/farend-go/farend/app"
)

// lockedBuffer may be written while it is read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serving is a farend serve that runs in this process.
type serving struct {
	t       *testing.T
	ready   app.Ready
	line    string
	out     *bufio.Reader // stdout, behind the ready line where there is one
	err     lockedBuffer
	signals chan os.Signal
	code    chan int
}

// startServe runs farend serve with --json, and reads the ready line.
func startServe(t *testing.T, environ []string, args ...string) *serving {
	t.Helper()
	r, w := io.Pipe()
	s := &serving{t: t, out: bufio.NewReader(r), signals: make(chan os.Signal, 2), code: make(chan int, 1)}
	ctx := WithSignals(context.Background(), s.signals)
	go func() {
		s.code <- Main(ctx, append([]string{"serve", "--json"}, args...), strings.NewReader(""), w, &s.err, environ)
		w.Close()
	}()
	t.Cleanup(func() {
		go func() { _, _ = io.Copy(io.Discard, r) }()
		s.stop(syscall.SIGTERM)
		r.Close()
	})
	line, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatalf("farend serve %v: status %d, stderr %q", args, s.wait(), s.err.String())
	}
	s.line = line
	if err := json.Unmarshal([]byte(line), &s.ready); err != nil || !s.ready.Ready {
		t.Fatalf("%q: %v", line, err)
	}
	return s
}

// wait gives the exit status.
func (s *serving) wait() int {
	s.t.Helper()
	select {
	case code := <-s.code:
		s.code <- code
		return code
	case <-time.After(20 * time.Second):
		s.t.Fatal("farend serve does not end; stderr: ", s.err.String())
		return -1
	}
}

func (s *serving) stop(sig os.Signal) int {
	s.t.Helper()
	select {
	case s.signals <- sig:
	default:
	}
	return s.wait()
}

// dial connects to the first listener of a service.
func (s *serving) dial(service string) net.Conn {
	s.t.Helper()
	for _, l := range s.ready.Services {
		if l.Name != service {
			continue
		}
		c, err := net.Dial(l.Network, l.Address)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		s.t.Cleanup(func() { c.Close() })
		return c
	}
	s.t.Fatalf("no %s in %s", service, s.line)
	return nil
}

// talk says text on a new connection, ends its half, and reads to the end.
func (s *serving) talk(service, text string) string {
	s.t.Helper()
	c := s.dial(service)
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
			s.t.Fatal(err)
		}
	}
	b, err := io.ReadAll(c)
	if err != nil {
		s.t.Logf("reading from %s: %v", service, err)
	}
	return string(b)
}

func TestServeReadyLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready")
	if err := os.WriteFile(file, []byte("of an earlier time"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, nil, "greet", "--listen", "greet=127.0.0.1:0", "--listen", "echo=:0", "--listen", "upper=:0", "--ready-file", file)
	want := regexp.MustCompile(`^\{"ready":true,"pid":\d+,"ca_file":"","skipped":\[\],"services":\[` +
		`\{"name":"greet","network":"tcp","address":"127\.0\.0\.1:\d+","url":"tcp://127\.0\.0\.1:\d+"\},` +
		`\{"name":"echo","network":"tcp","address":"127\.0\.0\.1:\d+","url":"tcp://127\.0\.0\.1:\d+"\},` +
		`\{"name":"echo","network":"udp","address":"127\.0\.0\.1:\d+","url":"udp://127\.0\.0\.1:\d+"\},` +
		`\{"name":"upper","network":"tcp",[^}]*\},\{"name":"upper","network":"udp",[^}]*\}\]\}\n$`)
	if !want.MatchString(s.line) {
		t.Errorf("the ready line is %s", s.line)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != s.line {
		t.Errorf("the ready file has %q (%v), stdout had %q", b, err, s.line)
	}
	if s.ready.PID != os.Getpid() {
		t.Errorf("pid %d", s.ready.PID)
	}
	for service, want := range map[string]string{"greet": "Thank you for connecting", "echo": "grüße\n", "upper": "GRüßE"} {
		text := "grüße\n"
		if service == "greet" {
			text = ""
		}
		if got := s.talk(service, text); got != want {
			t.Errorf("%s answers %q, want %q", service, got, want)
		}
	}
}

func TestTutorial43_WhatTheServersPrint(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		var out, errs lockedBuffer
		file := filepath.Join(t.TempDir(), "ready")
		signals, code := make(chan os.Signal, 1), make(chan int, 1)
		r, w := io.Pipe()
		go func() {
			defer w.Close()
			code <- Main(WithSignals(context.Background(), signals),
				[]string{"serve", "--engine", engine, "--listen", "greet=127.0.0.1:0", "--listen", "upper=:0", "--ready-file", file},
				strings.NewReader(""), io.MultiWriter(w, &out), &errs, nil)
		}()
		lines := bufio.NewReader(r)
		s := &serving{t: t, ready: waitForFile(t, file), code: code, signals: signals}
		local := s.dial("greet").LocalAddr().(*net.TCPAddr)
		if got, _ := lines.ReadString('\n'); got != "Got connection from ('127.0.0.1', "+portText(local)+")\n" {
			t.Errorf("%s: greet printed %q", engine, got)
		}
		s.talk("upper", " it's grüße\n")
		first, _ := lines.ReadString('\n')
		second, _ := lines.ReadString('\n')
		if first != "127.0.0.1 wrote:\n" || second != `b"it's gr\xc3\xbc\xc3\x9fe"`+"\n" {
			t.Errorf("%s: upper printed %q %q", engine, first, second)
		}
		if s.stop(os.Interrupt) != 0 {
			t.Error(errs.String())
		}
		table := regexp.MustCompile(`^farend \S+   ready in \S+\n  greet    tcp      127\.0\.0\.1:\d+\n  upper    tcp      127\.0\.0\.1:\d+\n  upper    udp      127\.0\.0\.1:\d+\n$`)
		if !table.MatchString(errs.String()) {
			t.Errorf("%s: the table is\n%s", engine, errs.String())
		}
	}
}

func portText(a *net.TCPAddr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// waitForFile waits for a ready file, which appears at once and whole.
func waitForFile(t *testing.T, path string) (r app.Ready) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for {
		if b, err := os.ReadFile(path); err == nil {
			if err := json.Unmarshal(b, &r); err != nil {
				t.Fatalf("%q: %v", b, err)
			}
			return r
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("no ready file")
		}
	}
}

func TestServeJSONEvents(t *testing.T) {
	s := startServe(t, nil, "--listen", "greet=127.0.0.1:0", "--listen", "upper=:0")
	local := s.dial("greet").LocalAddr().String()
	if got, _ := s.out.ReadString('\n'); got != `{"event":"connected","service":"greet","peer":"`+local+`"}`+"\n" {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]string{"a b\n": `"text":"a b"}`, "\xff\n": `"base64":"/w=="}`, "\n": `"text":""}`} {
		s.talk("upper", text)
		if got, _ := s.out.ReadString('\n'); !strings.HasPrefix(got, `{"event":"wrote","service":"upper","peer":"127.0.0.1:`) || !strings.HasSuffix(got, want+"\n") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestServeQuiet(t *testing.T) {
	s := startServe(t, nil, "-q", "--listen", "greet=127.0.0.1:0", "--listen", "upper=0.0.0.0:0")
	s.talk("greet", "")
	s.talk("upper", "x")
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("status %d", code)
	}
	rest, _ := io.ReadAll(s.out)
	if len(rest) > 0 || s.err.String() != "" {
		t.Errorf("it said %q and %q", rest, s.err.String())
	}
}

func TestTutorial65_StoppingAndStartingAgain(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		s := startServe(t, nil, "--engine", engine, "--listen", "echo=:0", "--drain", "20s")
		idle := s.dial("echo")
		if _, err := io.WriteString(idle, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(idle, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if code := s.stop(os.Interrupt); code != 0 {
			t.Errorf("%s: status %d", engine, code)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: an idle client kept it for %v", engine, took)
		}
		if n, err := idle.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: the idle client reads %d, %v", engine, n, err)
		}
		again := startServe(t, nil, "--engine", engine, "--listen", "echo="+s.ready.Services[0].Address)
		if got := again.talk("echo", "again"); got != "again" {
			t.Errorf("%s: %q", engine, got)
		}
	}
}

// Whoever does not read our stdout keeps neither the server from stopping nor,
// for a while, from serving.
func TestServeWithNobodyReading(t *testing.T) {
	s := startServe(t, nil, "--listen", "upper=:0", "--listen", "echo=:0")
	for range 20 {
		s.talk("upper", "x")
	}
	if got := s.talk("echo", "still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("status %d", code)
	}
}

func TestTutorial49_ServeTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, out, said := mainOf(t, "serve", "--listen", "echo="+l.Addr().String())
	want := "farend: serve: listening for echo on tcp " + l.Addr().String() + ": address already in use (choose another with --listen echo=ADDRESS; :0 is a free port)\n"
	if code != 1 || out != "" || said != want {
		t.Errorf("status %d, %q, %q; want %q", code, out, said, want)
	}
}

func TestServePrecedence(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "farend.toml")
	text := "services = ['echo']\nengine = 'nonsense'\ndrain = '3s'\n[echo]\nlisten = 'unix:" + filepath.Join(dir, "f") + "'\n[upper]\nlisten = ':0'\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	networks := func(s *serving) string {
		var out []string
		for _, l := range s.ready.Services {
			out = append(out, l.Name+"/"+l.Network)
		}
		s.stop(syscall.SIGTERM)
		return strings.Join(out, " ")
	}
	environ := []string{"FAREND_CONFIG=" + config, "FAREND_ENGINE=events", "FAREND_WHIST_LISTEN=:0"}
	s := startServe(t, environ)
	if got := networks(s); got != "echo/unix" {
		t.Errorf("file and environment: %s", got)
	}
	if got := s.err.String(); got != "farend: FAREND_WHIST_LISTEN is ignored: no such service\n" {
		t.Errorf("it said %q", got)
	}
	environ = append(environ, "FAREND_ECHO_LISTEN=tcp::0")
	if got := networks(startServe(t, environ)); got != "echo/tcp" {
		t.Errorf("environment over file: %s", got)
	}
	if got := networks(startServe(t, environ, "--listen", "echo=udp:127.0.0.1:0", "upper")); got != "echo/udp upper/tcp upper/udp" {
		t.Errorf("flags over environment: %s", got)
	}
	code, _, said := func() (int, string, string) {
		var out, errs bytes.Buffer
		code := Main(t.Context(), []string{"serve"}, nil, &out, &errs, []string{"FAREND_CONFIG=" + config})
		return code, out.String(), errs.String()
	}()
	if code != 2 || !strings.Contains(said, "nonsense: no such engine") {
		t.Errorf("the file alone: status %d, %q", code, said)
	}
}

func TestServeExplainTranscriptFault(t *testing.T) {
	dir := t.TempDir()
	s := startServe(t, nil, "--listen", "echo=:0", "--explain", "--transcript", dir, "--fault", "echo after=5 do=close times=1")
	if got := s.talk("echo", "hello, far end"); got != "hello" {
		t.Errorf("%q", got)
	}
	if got := s.talk("echo", "hello, far end"); got != "hello, far end" {
		t.Errorf("%q", got)
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("status %d", code)
	}
	for _, want := range []string{"accepted 127.0.0.1:", "68 65 6c 6c 6f", "FAULT 1/1 echo after=5 do=close times=1", "note: "} {
		if !strings.Contains(s.err.String(), want) {
			t.Errorf("no %q in\n%s", want, s.err.String())
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%d transcripts, %v", len(files), err)
	}
}

func TestServeOutlivesItsReader(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestRunCommand$")
	cmd.Env = append(os.Environ(), runAsVariable+"=farend", runArgsVariable+"=serve --json --listen upper=:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &serving{t: t}
	if err := json.NewDecoder(out).Decode(&s.ready); err != nil {
		t.Fatal(err)
	}
	out.Close()
	for range 5 {
		if got := s.talk("upper", "still here"); got != "STILL HERE" {
			t.Errorf("%q", got)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestServeReadyFileThatCannotBe(t *testing.T) {
	code, out, said := mainOf(t, "serve", "--listen", "echo=:0", "--ready-file", filepath.Join(t.TempDir(), "no", "such"))
	if code != 1 || out != "" || !strings.HasPrefix(said, "farend: serve: writing the ready file: ") || strings.Count(said, "\n") != 1 {
		t.Errorf("status %d, %q, %q", code, out, said)
	}
}

// Flags that every command has are variables and keys too.
func TestToneByEnvironmentAndFile(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(config, []byte("quiet = true\njson = true\nverbose = 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		environ string
		flags   []string
		want    env
	}{
		{"FAREND_QUIET=true FAREND_VERBOSE=2", nil, env{quiet: true, verbose: 2}},
		{"FAREND_JSON=1 FAREND_QUIET=true", []string{"--quiet=false"}, env{json: true}},
		{"FAREND_CONFIG=" + config, []string{"-v"}, env{quiet: true, json: true, verbose: 1}},
		{"FAREND_QUIET=false FAREND_CONFIG=" + config, nil, env{json: true, verbose: 2}},
	} {
		e := &env{environ: strings.Fields(c.environ), out: &bytes.Buffer{}, err: &bytes.Buffer{}, signals: newSignals(t.Context())}
		root := newRoot(e)
		command := &cobra.Command{Use: "test", RunE: func(c *cobra.Command, _ []string) error {
			_, err := e.settings(c.Flags(), nil)
			return err
		}}
		serviceFlags(command.Flags())
		root.AddCommand(command)
		root.SetArgs(append([]string{"test"}, c.flags...))
		code := e.run(t.Context(), root)
		if got := (env{quiet: e.quiet, json: e.json, verbose: e.verbose}); code != 0 || got.quiet != c.want.quiet || got.json != c.want.json || got.verbose != c.want.verbose {
			t.Errorf("%s %v: status %d, %+v", c.environ, c.flags, code, got)
		}
	}
	var said bytes.Buffer
	if code := Main(t.Context(), []string{"list"}, nil, io.Discard, &said, []string{"FAREND_JSON=perhaps"}); code != 2 || !strings.HasPrefix(said.String(), `farend: FAREND_JSON: "perhaps"`) {
		t.Errorf("status %d, %q", code, said.String())
	}
}

// What the help says of flags and variables is true.
func TestEveryFlagIsAVariable(t *testing.T) {
	for _, c := range allCommands(t) {
		if c.Name() != "serve" && c.Name() != "run" {
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			name := "FAREND_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			set, ignored := app.FromEnviron([]string{name + "=x"})
			if !slices.Contains([]string{"listen", "config", "help-all", "help"}, f.Name) && (len(ignored) > 0 || set.Text(f.Name) != "x") {
				t.Errorf("%s: %s is nothing: %v", c.Name(), name, ignored)
			}
		})
	}
}

func TestServeTranscriptsThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, said := mainOf(t, "serve", "--listen", "echo=:0", "--transcript", file)
	if code != 1 || out != "" || !strings.HasPrefix(said, "farend: serve: transcript: mkdir "+file) || strings.Count(said, "\n") != 1 {
		t.Errorf("status %d, %q, %q", code, out, said)
	}
}

func TestServeReadyLineThatCannotBe(t *testing.T) {
	var said bytes.Buffer
	code := Main(t.Context(), []string{"serve", "--json", "--listen", "echo=:0"}, strings.NewReader(""), errorWriter{errors.New("no room")}, &said, nil)
	if want := "farend: serve: writing the ready line: no room\n"; code != 1 || said.String() != want {
		t.Errorf("status %d, %q, want %q", code, said.String(), want)
	}
}

func TestServeHelpAll(t *testing.T) {
	_, help, _ := mainOf(t, "serve", "--help")
	code, all, said := mainOf(t, "serve", "--help-all")
	if code != 0 || said != "" {
		t.Fatalf("status %d, %q", code, said)
	}
	for _, flag := range []string{"--proxy-from", "--proxy-required", "--proxy-timeout", "--spin", "--loops", "--handover-timeout", "--handover-grace", "--cert", "--passive-ports"} {
		if strings.Contains(help, "  "+flag+" ") || !strings.Contains(all, "  "+flag+" ") {
			t.Errorf("%s is in --help, or is not in --help-all", flag)
		}
	}
	for line := range strings.Lines(help + all) {
		if n := utf8.RuneCountInString(line); n > 81 {
			t.Errorf("%d characters: %q", n, line)
		}
	}
}
