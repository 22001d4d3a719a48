package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// env is what a command has of the world, and the flags that every command
// has.
type env struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
	signals  *signals

	quiet   bool
	verbose int
	json    bool
	started bool // the command line was understood, and its command began
}

// getenv looks name up in the environment that Main got.
func (e *env) getenv(name string) (string, bool) {
	for _, kv := range slices.Backward(e.environ) {
		if k, v, ok := strings.Cut(kv, "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

// toneOfEnviron takes FAREND_QUIET, FAREND_VERBOSE and FAREND_JSON where no flag
// says more.
func (e *env) toneOfEnviron(f *pflag.FlagSet) error {
	for _, name := range []string{"quiet", "verbose", "json"} {
		variable := "FAREND_" + strings.ToUpper(name)
		value, _ := e.getenv(variable)
		if value == "" || f.Changed(name) {
			continue
		}
		if err := f.Lookup(name).Value.Set(value); err != nil {
			return usagef("%s: %q is not what it can be: true or false; a number for FAREND_VERBOSE", variable, value)
		}
	}
	return nil
}

// say is talk: a line on stderr, which -q silences.
func (e *env) say(format string, args ...any) {
	if !e.quiet {
		fmt.Fprintf(e.err, format+"\n", args...)
	}
}

// sayMore is talk for -v.
func (e *env) sayMore(format string, args ...any) {
	if e.verbose > 0 {
		e.say(format, args...)
	}
}

// writeJSON is data: one line of JSON on stdout.
func (e *env) writeJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = e.out.Write(append(b, '\n'))
	return err
}

// logTo makes a logger for libraries that take one: it writes warnings, with
// -v information, with -vv everything.
func (e *env) logTo(w io.Writer) *slog.Logger {
	level := slog.LevelWarn
	switch {
	case e.quiet:
		level = slog.LevelError
	case e.verbose == 1:
		level = slog.LevelInfo
	case e.verbose > 1:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// isTerminal tells whether a stream of the env is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
