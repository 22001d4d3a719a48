package cli

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/proto/simple"
)

// The command that farend run runs in these tests is this test binary.
const (
	runAsVariable   = "TEST_OF_FAREND_RUN"
	runArgsVariable = "TEST_OF_FAREND_ARGS"
)

// TestRunCommand is no test: it is that command.
func TestRunCommand(t *testing.T) {
	what := os.Getenv(runAsVariable)
	switch what {
	case "":
		t.Skip("this is the command of the other tests")
	case "farend": // a process of its own, for what goes by process
		signals := make(chan os.Signal, 8)
		signal.Notify(signals, Signals()...)
		os.Exit(Main(WithSignals(t.Context(), signals), strings.Fields(os.Getenv(runArgsVariable)), os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	case "upper":
		c := dialEnviron(t, "UPPER")
		defer c.Close()
		got, err := simple.Upper(t.Context(), c, []byte("from "+os.Getenv("UPPER_URL")[:6]+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(os.Getenv("FAREND_CA_FILE")); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.Write(append(got, '\n'))
		os.Exit(0)
	case "ftp":
		c := dialEnviron(t, "FTP")
		defer c.Close()
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString(os.Getenv("FTP_URL")[:6] + " " + line[:4] + os.Getenv("GOPHER_URL")[:9] + "\n")
		os.Exit(0)
	case "mail":
		mailCommand(t)
	case "fail":
		c := dialEnviron(t, "ECHO")
		if _, err := simple.Echo(t.Context(), c, []byte("before it failed\r\n")); err != nil {
			t.Fatal(err)
		}
		os.Exit(7)
	case "fail in silence":
		os.Exit(3)
	case "wait":
		_, _ = os.Stdout.WriteString("ready\n")
		select {} // a signal ends it
	}
	t.Fatalf("%q?", what)
}

// runSelf is farend run with this binary.
func runSelf(t *testing.T, ctx context.Context, what string, out *lockedBuffer, args ...string) (int, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var errs lockedBuffer
	args = append(append([]string{"run"}, args...), "--", self, "-test.run=^TestRunCommand$")
	code := Main(ctx, args, strings.NewReader(""), out, &errs, append(os.Environ(), runAsVariable+"="+what))
	return code, errs.String()
}

func TestRunSetsTheEnvironment(t *testing.T) {
	var out lockedBuffer
	code, said := runSelf(t, t.Context(), "upper", &out, "upper", "echo")
	if code != 0 || out.String() != "FROM TCP://\n" || said != "" {
		t.Errorf("status %d, %q, %q", code, out.String(), said)
	}
}

func TestRunBesideFTP(t *testing.T) {
	var out lockedBuffer
	code, said := runSelf(t, t.Context(), "ftp", &out, "ftp", "gopher")
	if code != 0 || out.String() != "ftp:// 220 gopher://\n" || said != "" {
		t.Errorf("status %d, %q, %q", code, out.String(), said)
	}
}

func TestRunTellsTheLastConversations(t *testing.T) {
	var out lockedBuffer
	code, said := runSelf(t, t.Context(), "fail", &out, "echo")
	if code != 7 || !strings.HasPrefix(said, "farend: cli.test exited 7. The last conversations") {
		t.Errorf("status %d, %q", code, said)
	}
	for _, want := range []string{"echo #1", "C: before it failed\n", "S: before it failed\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	code, said = runSelf(t, t.Context(), "fail in silence", &out, "echo")
	if code != 3 || !strings.HasSuffix(said, "exited 3. Nobody had talked to the services.\n") {
		t.Errorf("status %d, %q", code, said)
	}
	if code, said = runSelf(t, t.Context(), "fail in silence", &out, "echo", "-q"); code != 3 || said != "" {
		t.Errorf("-q: status %d, %q", code, said)
	}
}

// announcer sends a signal when the command says that it is ready.
type announcer struct {
	lockedBuffer
	say func()
}

func (a *announcer) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("ready\n")) {
		a.say()
	}
	return a.lockedBuffer.Write(p)
}

func TestRunPassesSignalsOn(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		signals := make(chan os.Signal, 1)
		out := &announcer{say: func() { signals <- sig }}
		var errs lockedBuffer
		code := Main(WithSignals(t.Context(), signals), []string{"run", "echo", "--", self, "-test.run=^TestRunCommand$"},
			strings.NewReader(""), out, &errs, append(os.Environ(), runAsVariable+"=wait"))
		if code != 128+int(sig) || !strings.Contains(errs.String(), "was ended by a signal ("+sig.String()+")") {
			t.Errorf("%v: status %d, %q", sig, code, errs.String())
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var errs lockedBuffer
	code := Main(ctx, []string{"run", "echo", "--", self, "-test.run=^TestRunCommand$"},
		strings.NewReader(""), &announcer{say: cancel}, &errs, append(os.Environ(), runAsVariable+"=wait"))
	if code != 137 {
		t.Errorf("status %d, %q", code, errs.String())
	}
}

func TestRunWhatCannotRun(t *testing.T) {
	code, _, said := mainOf(t, "run", "echo", "--", "no-such-command-here")
	if code != 127 || said != "farend: run: starting no-such-command-here: "+exec.ErrNotFound.Error()+"\n" {
		t.Errorf("status %d, %q", code, said)
	}
	if code, _, said = mainOf(t, "run", "echo", "--", t.TempDir()+"/none"); code != 127 || strings.Count(said, "\n") != 1 {
		t.Errorf("status %d, %q", code, said)
	}
	if code, _, said = mainOf(t, "run", "echo", "--", t.TempDir()); code != 126 || strings.Count(said, "\n") != 1 {
		t.Errorf("status %d, %q", code, said)
	}
}

// dialEnviron connects to a service by what farend run has set.
func dialEnviron(t *testing.T, service string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", net.JoinHostPort(os.Getenv(service+"_HOST"), os.Getenv(service+"_PORT")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
