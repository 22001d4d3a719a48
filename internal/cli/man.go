package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIR]",
		Short: "Write the man pages",
		Example: `farend man ~/.local/share/man/man1    # farend.1, farend-serve.1, ...
farend man | man -l -                 # read farend(1) at once
SOURCE_DATE_EPOCH=0 farend man .      # with a date of your own`,
		Long: "Without DIR farend(1) goes to stdout. The date is that of the source, so that\nthe same source gives the same pages.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("man: one folder, not %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			date, err := e.sourceDate()
			if err != nil {
				return usageErr(fmt.Errorf("man: %w", err))
			}
			if len(args) == 0 {
				_, err := io.WriteString(e.out, manPage(c.Root(), date))
				return err
			}
			if err := writeManPages(args[0], c.Root(), date); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			return nil
		},
	}
}

// sourceDate is SOURCE_DATE_EPOCH (https://reproducible-builds.org), or when
// the source was committed; empty where neither is known.
func (e *env) sourceDate() (string, error) {
	if text, ok := e.getenv("SOURCE_DATE_EPOCH"); ok && text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", fmt.Errorf("SOURCE_DATE_EPOCH: %q is no number of seconds", text)
		}
		return time.Unix(n, 0).UTC().Format(time.DateOnly), nil
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", nil
	}
	for _, s := range info.Settings {
		if at, err := time.Parse(time.RFC3339, s.Value); err == nil && s.Key == "vcs.time" {
			return at.UTC().Format(time.DateOnly), nil
		}
	}
	return "", nil
}

// writeManPages writes one for each command.
func writeManPages(dir string, c *cobra.Command, date string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // man pages are for everybody
		return err
	}
	name := filepath.Join(dir, manName(c)+".1")
	if err := os.WriteFile(name, []byte(manPage(c, date)), 0o644); err != nil { //nolint:gosec // as above
		return err
	}
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		if err := writeManPages(dir, sub, date); err != nil {
			return err
		}
	}
	return nil
}

func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage is a command's page in the macros of man(7).
func manPage(c *cobra.Command, date string) string {
	var b strings.Builder
	name := manName(c)
	fmt.Fprintf(&b, ".TH %s 1 %q %q %q\n", roff(strings.ToUpper(name)), date, "farend "+version(), "farend")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	b.WriteString(".SH DESCRIPTION\n" + roff(c.Short+".") + "\n")
	if c.Long != "" {
		b.WriteString(".PP\n" + roff(strings.TrimSpace(c.Long)) + "\n")
	}
	if more := c.Annotations[details]; more != "" {
		for paragraph := range strings.SplitSeq(strings.TrimSpace(more), "\n\n") {
			b.WriteString(".PP\n" + manParagraph(paragraph))
		}
	}
	if c.HasAvailableSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(manName(sub)), roff(sub.Short+"."))
			}
		}
	}
	b.WriteString(".SH OPTIONS\n")
	local := c.LocalNonPersistentFlags()
	c.Flags().VisitAll(func(f *pflag.Flag) { // in the order of their importance
		if local.Lookup(f.Name) == f {
			b.WriteString(manFlag(f))
		}
	})
	c.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) { b.WriteString(manFlag(f)) })
	b.WriteString(".SH EXIT STATUS\n" + manStatuses(c))
	fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(strings.TrimSpace(c.Example)))
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(manName(c.Parent())))
	}
	return b.String()
}

// manParagraph is filled, unless it is a table, whose lines are indented.
func manParagraph(text string) string {
	if strings.HasPrefix(text, "  ") {
		return ".nf\n" + roff(text) + "\n.fi\n"
	}
	return roff(text) + "\n"
}

// statuses is the key of a command's own exit statuses: a line for each, the
// number, a blank and what it means.
const statuses = "statuses"

func manStatuses(c *cobra.Command) string {
	lines := "0 good\n1 failed\n2 wrong usage\n" + c.Annotations[statuses]
	if !strings.Contains(lines, "\n130 ") {
		lines += "130 interrupted\n"
	}
	var b strings.Builder
	for line := range strings.Lines(lines) {
		number, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", number, roff(meaning))
	}
	return b.String()
}

// manFlag is one flag as an item of the list of options.
func manFlag(f *pflag.Flag) string {
	argument, usage := pflag.UnquoteUsage(f)
	var names []string
	if f.Shorthand != "" {
		names = append(names, `\fB`+roff("-"+f.Shorthand)+`\fR`)
	}
	if f.Name != f.Shorthand {
		names = append(names, `\fB`+roff("--"+f.Name)+`\fR`)
	}
	item := strings.Join(names, ", ")
	if argument != "" && argument != "count" {
		item += ` \fI` + roff(argument) + `\fR`
	}
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
	default:
		usage += " (default " + f.DefValue + ")"
	}
	return ".TP\n" + item + "\n" + roff(usage) + "\n"
}

// roff is text that roff shows as it is: nothing in it is a request or an
// escape, and hyphens are those that a shell takes.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
