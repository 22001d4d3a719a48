package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/app"
)

// listed is a protocol as farend list --json tells it.
type listed struct {
	Name     string   `json:"name"`
	About    string   `json:"about"`
	RFC      string   `json:"rfc,omitempty"`
	Client   bool     `json:"client"`
	Server   bool     `json:"server"`
	Schemes  []string `json:"schemes"`
	Port     int      `json:"port"`
	Networks []string `json:"networks"`
	IANA     int      `json:"iana_port,omitempty"`
}

func newList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the protocols: client, server, schemes, ports",
		Example: `farend list
farend list --json
farend list --json | jq -r 'select(.server) | .name'`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if e.json {
				return e.listJSON()
			}
			return e.listTable()
		},
	}
}

// noArgs is the check of commands that take none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s: takes no arguments, so not %q", c.Name(), args[0])
	}
	return nil
}

func catalogued(s app.Service) listed {
	l := listed{
		Name: s.Name, About: s.About, RFC: s.RFC, Client: s.Client, Server: s.Server,
		Schemes: s.Schemes, Port: s.Serve, Networks: s.Networks(), IANA: s.Port,
	}
	switch {
	case len(l.Schemes) > 0:
	case s.Scheme != "" && s.Scheme != s.Name: // it is spoken to as another is
		l.Schemes = []string{s.Scheme, s.Name}
	case s.Scheme != "":
		l.Schemes = []string{s.Scheme}
	default: // one without URLs is reached by an endpoint
		l.Schemes = slices.Clone(l.Networks)
		if s.Stream != nil {
			l.Schemes = append(l.Schemes, "unix")
		}
	}
	return l
}

func (e *env) listJSON() error {
	for _, s := range app.Catalogue() {
		if err := e.writeJSON(catalogued(s)); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) listTable() error {
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCLIENT\tSERVER\tSCHEMES\tPORT\tIANA\tABOUT")
	yes := map[bool]string{true: "yes", false: "-"}
	for _, s := range app.Catalogue() {
		l := catalogued(s)
		iana, about := "-", l.About
		if l.IANA > 0 {
			iana = strconv.Itoa(l.IANA)
		}
		if l.RFC != "" {
			about += " (" + l.RFC + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d %s\t%s\t%s\n", l.Name, yes[l.Client], yes[l.Server],
			strings.Join(l.Schemes, " "), l.Port, strings.Join(l.Networks, ","), iana, about)
	}
	return w.Flush()
}
