package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/farend-go/farend/app"
)

func newRun(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "run [SERVICE...] -- COMMAND...",
		Short: "Run a command beside services on free ports",
		Example: `farend run echo -- ./my-test                    # it finds $ECHO_URL
farend run upper -- sh -c 'echo hi | nc -N $UPPER_HOST $UPPER_PORT'
farend run echo --fault 'echo after=5 do=reset' -- go test ./...`,
		Long: `Sets NAME_URL, NAME_HOST and NAME_PORT of each service, and FAREND_CA_FILE.
Ends with the command's status; when it fails, prints the last conversations.
TLS, ports: farend serve --help-all`,
		Annotations: map[string]string{
			statuses: "126 the command cannot be run\n127 there is no such command\nother what the command ended with; 128 and the signal's number where one ended it\n",
		},
		ValidArgsFunction: completeServices,
	}
	serviceFlags(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		dash := c.ArgsLenAtDash()
		if dash < 0 || dash == len(args) {
			return usagef("run: no command; write it behind --, as in: farend run echo -- ./my-test")
		}
		return e.runBeside(c.Context(), c.Flags(), args[:dash], args[dash:])
	}
	return c
}

// Statuses of a command that could not be started, as env(1) has them.
const (
	exitCannotRun = 126
	exitNotFound  = 127
)

func (e *env) runBeside(ctx context.Context, f *pflag.FlagSet, services, command []string) error {
	settings, err := e.settings(f, services)
	if err != nil {
		return serveError("run", err)
	}
	cfg, err := settings.Config()
	if err != nil {
		return serveError("run", err)
	}
	cfg.OnFreePorts()
	cfg.MakeCA = cfg.Cert == ""
	talk := newPrinter(e.err)
	defer talk.close()
	var recorder app.Recorder
	if err := e.hear(&cfg, settings, nil, talk); err != nil {
		return serveError("run", err)
	}
	if e.verbose == 0 { // the command's own talk is what counts here
		cfg.Notice = nil
	}
	cfg.Ears = append(cfg.Ears, &recorder)
	a, err := app.Listen(ctx, cfg)
	if err != nil {
		return serveError("run", err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- a.Serve(serving) }()
	state, err := e.spawn(ctx, command, runEnviron(e.environ, a.Ready()))
	stop()
	if broke := <-served; err == nil && broke != nil {
		err = during("run", broke)
	}
	if err != nil {
		return err
	}
	if state.Success() {
		return nil
	}
	e.tellFailure(talk, command[0], state, &recorder, cfg.Transcript)
	return exit(statusOf(state), nil)
}

// spawn runs the command to its end, and hands on the signals that we get.
func (e *env) spawn(ctx context.Context, command, environ []string) (*os.ProcessState, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // it gets the signals instead
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = e.in, e.out, e.err, environ
	cmd.WaitDelay = time.Second // what it started may hold its output open
	signals := e.signals.take()
	if err := cmd.Start(); err != nil {
		code := exitCannotRun
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNotFound
		}
		return nil, exit(code, fmt.Errorf("run: starting %s: %w", command[0], cause(err)))
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended, its state says
		close(ended)
	}()
	over := ctx.Done()
	for {
		select {
		case s := <-signals:
			if s != os.Interrupt || !sharesTerminal(e.in) { // or it got it from there already
				_ = cmd.Process.Signal(s) // fails only where it has ended
			}
		case <-over:
			over = nil
			_ = cmd.Process.Kill() // as above
		case <-ended:
			return cmd.ProcessState, nil
		}
	}
}

// cause is what went wrong, without what was tried.
func cause(err error) error {
	if ee, ok := errors.AsType[*exec.Error](err); ok {
		return ee.Err
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// statusOf is a shell's status for a process that has ended.
func statusOf(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return signalStatus(ws.Signal())
	}
	return state.ExitCode()
}

// runEnviron adds where the services are.
func runEnviron(environ []string, r app.Ready) []string {
	out := append([]string(nil), environ...)
	seen := map[string]bool{}
	set := func(name, value string) {
		if !seen[name] { // the first listener of a service is the one meant
			seen[name] = true
			out = append(out, name+"="+value)
		}
	}
	for _, l := range r.Services {
		name := strings.ToUpper(strings.ReplaceAll(l.Name, "-", "_"))
		if l.Network == "udp" || l.Network == "unixgram" {
			name += "_" + strings.ToUpper(l.Network)
		}
		set(name+"_URL", l.URL)
		if host, port := l.HostPort(); port != "" {
			set(name+"_HOST", host)
			set(name+"_PORT", port)
		}
	}
	if r.CAFile != "" {
		set("FAREND_CA_FILE", r.CAFile)
	}
	return out
}

// tellFailure says how the command ended, and what was said before.
func (e *env) tellFailure(talk *printer, name string, state *os.ProcessState, r *app.Recorder, transcript string) {
	if e.quiet {
		return
	}
	how := fmt.Sprintf("exited %d", state.ExitCode())
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		how = "was ended by a signal (" + ws.Signal().String() + ")"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "farend: %s %s. ", filepath.Base(name), how)
	n := r.Count()
	if n == 0 {
		b.WriteString("Nobody had talked to the services.\n")
	} else {
		b.WriteString("The last conversations (S is farend):\n")
		_, _ = r.WriteTo(&b) // a Builder takes everything
	}
	if transcript != "" {
		fmt.Fprintf(&b, "all %d conversations: %s\n", n, transcript)
	} else if n > 3 {
		fmt.Fprintf(&b, "all %d conversations: run again with --transcript DIR\n", n)
	}
	talk.print([]byte(b.String()))
}
