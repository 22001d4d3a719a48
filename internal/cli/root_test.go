package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// mainOf runs a command line to its end.
func mainOf(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader(""), &out, &err, nil)
	return code, out.String(), err.String()
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"srve", "farend: srve: no such command; did you mean serve?"},
		{"frobnicate", "farend: frobnicate: no such command; see farend --help"},
		{"help frobnicate", "farend: frobnicate: no such command; see farend --help"},
		{"--jsn", "farend: --jsn: no such flag; did you mean --json?"},
		{"serve --redy-file x", "farend: serve: --redy-file: no such flag; did you mean --ready-file?"},
		{"serve -Z", "farend: serve: -Z: no such flag; see farend serve --help"},
		{"serve --drain 5", `farend: serve: --drain "5": want a time with its unit, as in 500ms, 10s, 2m`},
		{"serve --drain", "farend: serve: --drain: its value is missing (--drain TIME)"},
		{"talk -w", "farend: talk: -w: its value is missing (--wait TIME)"},
		{"talk -w 0 h:1", `farend: talk: --wait "0": want a time above 0`},
		{"list --json=perhaps", `farend: list: --json "perhaps": want true or false`},
		{"help serve foo", `farend: help: one command, so not "foo" too`},
		{"version", "farend: version: no such command; see farend --version"},
		{"talk a b", `farend: talk: "a:b": no service is called b; a port is a number or a service's name`},
		{"talk localhost 99999", `farend: talk: "localhost:99999" is no endpoint: port 99999: port must be 0-65535`},
		{"talk localhost", `farend: talk: "localhost" is no endpoint: the port is missing (host:port) (tcp:localhost:50007`},
		{"serve ecko", "farend: serve: ecko: no such service; did you mean echo?"},
		{"serve whist", "farend: serve: whist: no such service; there are greet echo"},
		{"serve --listen ecko=:0", "farend: serve: --listen: ecko: no such service; did you mean echo?"},
		{"serve --listen echo", "farend: serve: --listen: \"echo\": want SERVICE=ADDRESS"},
		{"serve --listen echo=50007", "farend: serve: --listen: address \"50007\": a port alone is written :50007"},
		{"serve --engine threads", "farend: serve: threads: no such engine"},
		{"serve --config /no/such/file", "farend: serve: reading /no/such/file: no such file"},
		{"serve --cert x", "farend: serve: a certificate and its key"},
		{"serve echo --fault nonsense=1", "farend: serve: fault"},
		{"run echo", "farend: run: no command; write it behind --"},
		{"run echo --", "farend: run: no command"},
		{"run ecko -- true", "farend: run: ecko: no such service"},
	} {
		code, out, err := mainOf(t, strings.Fields(c.args)...)
		if code != 2 || out != "" || !strings.HasPrefix(err, c.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("farend %s: status %d, stdout %q, stderr %q; want 2 and %q", c.args, code, out, err, c.want)
		}
	}
}

// No text of the libraries below shows, and all that helps begins alike.
func TestHelpBeginsAlike(t *testing.T) {
	for _, c := range allCommands(t) {
		if first, _ := utf8.DecodeRuneInString(c.Short); !unicode.IsUpper(first) || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: %q: want a capital, and no full stop", c.CommandPath(), c.Short)
		}
	}
}

// allCommands is the tree, without what cobra adds.
func allCommands(t *testing.T) []*cobra.Command {
	root := newRoot(&env{out: &bytes.Buffer{}, err: &bytes.Buffer{}, signals: newSignals(t.Context())})
	out := []*cobra.Command{root}
	for i := 0; i < len(out); i++ {
		out = append(out, out[i].Commands()...)
	}
	return out
}

func TestHelpFitsOneScreen(t *testing.T) {
	for _, c := range allCommands(t) {
		if c.Hidden || c.HasParent() && c.Parent().HasParent() {
			continue
		}
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		code, out, err := mainOf(t, args...)
		lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
		if code != 0 || err != "" || len(lines) > 24 {
			t.Errorf("%v: status %d, %d lines, stderr %q", args, code, len(lines), err)
		}
		for i, line := range lines {
			if i < 3 && !strings.Contains(line, "farend") {
				t.Errorf("%v: line %d is no example: %q", args, i+1, line)
			}
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%v: line %d has %d characters: %q", args, i+1, n, line)
			}
		}
	}
}

func TestHelpAlone(t *testing.T) {
	_, want, _ := mainOf(t, "--help")
	for _, args := range [][]string{{}, {"help"}, {"-h"}} {
		if code, out, _ := mainOf(t, args...); code != 0 || out != want {
			t.Errorf("farend %v: status %d, %q", args, code, out)
		}
	}
	_, want, _ = mainOf(t, "serve", "--help")
	if code, out, _ := mainOf(t, "help", "serve"); code != 0 || out != want {
		t.Errorf("help serve: %q", out)
	}
	if code, out, _ := mainOf(t, "--version"); code != 0 || !strings.HasPrefix(out, "farend ") || strings.Count(out, "\n") != 1 {
		t.Errorf("--version: %q", out)
	}
}

// A command with a function of its own, to see what becomes of it.
func runAs(t *testing.T, ctx context.Context, f func(ctx context.Context, e *env) error) (int, string) {
	t.Helper()
	var err bytes.Buffer
	e := &env{out: &bytes.Buffer{}, err: &err, signals: newSignals(ctx)}
	root := newRoot(e)
	root.AddCommand(&cobra.Command{Use: "test", RunE: func(c *cobra.Command, _ []string) error { return f(c.Context(), e) }})
	root.SetArgs([]string{"test"})
	code := e.run(ctx, root)
	return code, err.String()
}

func TestFirstSignalEndsTheContext(t *testing.T) {
	for sig, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143} {
		signals := make(chan os.Signal, 1)
		code, said := runAs(t, WithSignals(t.Context(), signals), func(ctx context.Context, _ *env) error {
			signals <- sig
			<-ctx.Done()
			return ctx.Err()
		})
		if code != want || said != "" {
			t.Errorf("%v: status %d, %q", sig, code, said)
		}
	}
}

func TestSecondSignalDoesNotWait(t *testing.T) {
	signals := make(chan os.Signal, 2)
	stuck := make(chan struct{})
	defer close(stuck)
	code, _ := runAs(t, WithSignals(t.Context(), signals), func(context.Context, *env) error {
		signals <- syscall.SIGTERM
		signals <- os.Interrupt
		<-stuck
		return nil
	})
	if code != 130 {
		t.Errorf("status %d", code)
	}
}

func TestSignalsTaken(t *testing.T) {
	signals := make(chan os.Signal, 3)
	code, _ := runAs(t, WithSignals(t.Context(), signals), func(ctx context.Context, e *env) error {
		c := e.signals.take()
		for range 3 {
			signals <- os.Interrupt
			<-c
		}
		return ctx.Err()
	})
	if code != 0 {
		t.Errorf("status %d", code)
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	code, said := runAs(t, t.Context(), func(context.Context, *env) error { return exit(7, during("doing", errorText("one\r\ntwo\n"))) })
	if code != 7 || said != "farend: doing: one; two\n" {
		t.Errorf("status %d, %q", code, said)
	}
	if code, said = runAs(t, t.Context(), func(context.Context, *env) error { return exit(9, nil) }); code != 9 || said != "" {
		t.Errorf("status %d, %q", code, said)
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }
