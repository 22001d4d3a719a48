package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/examples"
)

// told is a program as farend example --json tells it.
type told struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Go     string `json:"go"`
	Python string `json:"python"`
}

func newExample(e *env) *cobra.Command {
	var python bool
	c := &cobra.Command{
		Use:   "example [NAME]",
		Short: "Print one of the tutorials' programs, in Go",
		Long:  "Without a name it lists them.",
		Example: `farend example
farend example echo-server > main.go
farend example echo-server --python`,
		Args:              atMostOneName,
		ValidArgsFunction: completeExamples,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return e.listExamples()
			}
			return e.printExample(args[0], python)
		},
	}
	c.Flags().BoolVar(&python, "python", false, "its counterpart in Python 3")
	return c
}

func atMostOneName(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s: takes one name, so not %q too", c.Name(), args[1])
	}
	return nil
}

func completeExamples(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := examples.All()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, p := range all {
		out = append(out, cobra.CompletionWithDesc(p.Name, p.About))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (e *env) listExamples() error {
	all, err := examples.All()
	if err != nil {
		return err
	}
	if e.json {
		for _, p := range all {
			if err := e.writeJSON(told{p.Name, p.About, p.Go, p.Py}); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\n", p.Name, p.About)
	}
	return w.Flush()
}

func (e *env) printExample(name string, python bool) error {
	p, err := examples.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return unknownExample(name)
	}
	if err != nil {
		return err
	}
	if e.json {
		return e.writeJSON(told{p.Name, p.About, p.Go, p.Py})
	}
	text := p.Go
	if python {
		text = p.Py
	}
	_, err = io.WriteString(e.out, text)
	return err
}

func unknownExample(name string) error {
	all, err := examples.All()
	if err != nil {
		return err
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	if near := app.Nearest(name, names); near != "" {
		return usagef("example: there is no %q; did you mean %q?", name, near)
	}
	return usagef("example: there is no %q; farend example lists what there is", name)
}
