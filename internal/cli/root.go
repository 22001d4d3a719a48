package cli

import (
	"context"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Main runs the command line args (without the program's name) and returns
// its exit status. The end of ctx interrupts it. environ is in the form of
// os.Environ. stdin may still be read when Main returns because of a signal.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	e := &env{in: stdin, out: stdout, err: stderr, environ: environ, signals: newSignals(ctx)}
	root := newRoot(e)
	root.SetArgs(args)
	return e.run(ctx, root)
}

// newRoot is the tree of commands.
func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "farend COMMAND",
		Short: "The far end of every conversation a program has with the network",
		Example: `farend serve                                 # every service, with a table
farend talk tcp:localhost:50007              # hold a conversation by hand
farend run echo -- sh -c 'nc -N $ECHO_HOST $ECHO_PORT'   # just for one command`,
		Version:           version(),
		SilenceErrors:     true, // run says them, in one line
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		// Children have no PersistentPreRunE of their own: this tells errors of
		// usage, which come before it, from failures, which come after.
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			e.started = true
			return e.toneOfEnviron(c.Flags())
		},
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(e.in)
	root.SetOut(e.out)
	root.SetErr(e.err)
	root.SetVersionTemplate("farend {{.Version}}\n")
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writeHelp(e.out, c) })
	root.SetUsageFunc(func(c *cobra.Command) error { writeHelp(e.err, c); return nil })
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelp(e, root))
	f := root.PersistentFlags()
	f.SortFlags = false
	f.BoolVarP(&e.quiet, "quiet", "q", false, "say nothing but data and errors")
	f.CountVarP(&e.verbose, "verbose", "v", "say more; -vv says still more")
	f.BoolVar(&e.json, "json", false, "newline-delimited JSON on stdout")
	for _, c := range commands(e) {
		c.Flags().SortFlags = false
		c.DisableFlagsInUseLine = true
		root.AddCommand(c)
	}
	return root
}

func newHelp(e *env, root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Help for a command",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c == root && len(args) > 0 {
				return usageErr(unknownCommand(root, args[0]))
			}
			if len(rest) > 0 {
				return usagef("help: one command, so not %q too", rest[0])
			}
			writeHelp(e.out, c)
			return nil
		},
	}
}

// writeHelp fits one screen and begins with the examples.
func writeHelp(w io.Writer, c *cobra.Command) {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(c.Example) + "\n\n")
	b.WriteString("Usage: " + c.UseLine() + "\n" + c.Short + ".\n")
	if c.Long != "" {
		b.WriteString(strings.TrimSpace(c.Long) + "\n")
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				b.WriteString("  " + pad(sub.Name(), 12) + sub.Short + "\n")
			}
		}
	}
	if flags := flagLines(c); flags != "" {
		b.WriteString("\n" + flags)
	}
	b.WriteString("\nEverywhere: -q quiet, -v -vv more talk, --json, -h help")
	if !c.HasParent() {
		b.WriteString(", --version")
	}
	_, _ = io.WriteString(w, b.String()+"\n")
}

// details is the key of what a command's --help-all and its man page say more.
const details = "details"

// writeHelpAll is writeHelp with all flags and the details.
func writeHelpAll(w io.Writer, c *cobra.Command) {
	c.Flags().VisitAll(func(flag *pflag.Flag) { flag.Hidden = false })
	writeHelp(w, c)
	_, _ = io.WriteString(w, "\n"+c.Annotations[details]+"\n")
}

// flagLines lists flags, without those that are said on the last line.
// They stand in the order of their importance, which is that of their making.
func flagLines(c *cobra.Command) string {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	local := c.LocalNonPersistentFlags()
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		if local.Lookup(flag.Name) == flag && flag.Name != "help" && flag.Name != "version" {
			own.AddFlag(flag)
		}
	})
	return own.FlagUsages()
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(1, n-len(s))) }

// version is the module's, as the go command recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
