package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/farend-go/farend/app"
)

// Exit statuses that every command shares.
const (
	exitGood        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// exitError is an error that chooses the exit status. Without an err inside
// nothing is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit makes err end the command with status code; err may be nil, then it
// ends without a word.
func exit(code int, err error) error { return &exitError{code, err} }

// usageErr makes err one of wrong usage.
func usageErr(err error) error { return exit(exitUsage, err) }

// usagef is a new error of wrong usage.
func usagef(format string, args ...any) error { return usageErr(fmt.Errorf(format, args...)) }

// during puts what was being done before err, and keeps its exit status.
func during(doing string, err error) error { return fmt.Errorf("%s: %w", doing, err) }

// run executes the command tree, says what went wrong, and gives the exit
// status. A second signal does not wait for the command to return.
func (e *env) run(ctx context.Context, root *cobra.Command) int {
	ctx, stop := e.signals.watch(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		return e.status(ctx, err)
	case code := <-e.signals.hard:
		return code
	}
}

// status says err in one line and gives its exit status.
func (e *env) status(ctx context.Context, err error) int {
	if err == nil {
		return exitGood
	}
	if chosen, ok := errors.AsType[*exitError](err); ok {
		if chosen.err != nil {
			e.sayError(err)
		}
		return chosen.code
	}
	if !e.started {
		e.sayError(err)
		return exitUsage
	}
	if ctx.Err() != nil { // whatever failed then, failed because of that
		return interruptedBy(ctx)
	}
	e.sayError(err)
	return exitFailed
}

// sayError prints one line, -q or not.
func (e *env) sayError(err error) {
	fmt.Fprintln(e.err, "farend: "+oneLine(err))
}

func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// knownCommand is the root's check of arguments: what gets there is no
// command.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(c, args[0])
}

func unknownCommand(root *cobra.Command, name string) error {
	var known []string
	for _, c := range root.Commands() {
		known = append(known, c.Name())
	}
	help := "farend --help"
	if name == "version" {
		help = "farend --version"
	}
	return fmt.Errorf("%s: no such command%s", name, didYouMean(app.Nearest(name, known), help))
}

// flagError says which flag was wrong, and which may have been meant.
func flagError(c *cobra.Command, err error) error {
	of := ""
	if c.HasParent() {
		of = c.Name() + ": "
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("%s%s: its value is missing (%s)", of, dashed(bare.GetSpecifiedName()), withValue(bare.GetFlag()))
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usagef("%s%s %q: %s", of, dashed(bad.GetFlag().Name), bad.GetValue(), wanted(bad))
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usagef("%s%w", of, err)
	}
	name := unknown.GetSpecifiedName()
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	near := ""
	if len(name) > 1 {
		if near = app.Nearest(name, known); near != "" {
			near = dashed(near)
		}
	}
	return usagef("%s%s: no such flag%s", of, dashed(name), didYouMean(near, c.CommandPath()+" --help"))
}

// dashed is a flag as it is written.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// withValue is a flag with its value, as help has it.
func withValue(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	if f.Value.Type() == "duration" {
		value = "time"
	}
	return dashed(f.Name) + " " + strings.ToUpper(value)
}

// wanted is what a flag's value can be.
func wanted(bad *pflag.InvalidValueError) string {
	switch bad.GetFlag().Value.Type() {
	case "duration":
		return "want a time with its unit, as in 500ms, 10s, 2m"
	case "int", "uint", "uint64", "count":
		return "want a whole number"
	case "float64":
		return "want a number"
	case "bool":
		return "want true or false"
	}
	return errors.Unwrap(bad).Error()
}

// didYouMean is the next step after an unknown word.
func didYouMean(near, help string) string {
	if near == "" {
		return "; see " + help
	}
	return "; did you mean " + near + "?"
}
