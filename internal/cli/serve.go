package cli

import "github.com/spf13/cobra"

func newServe(*env) *cobra.Command {
	return &cobra.Command{
		Use:   "serve [SERVICE...]",
		Short: "serve the far end",
		Example: `farend serve                     # every service that exists
farend serve greet echo upper    # the tutorials' three servers
farend serve --listen echo=:0    # on a free port`,
		RunE: func(*cobra.Command, []string) error { return nil },
	}
}
