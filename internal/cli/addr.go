package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/socket"
)

// addrCommand is what one farend addr was told.
type addrCommand struct {
	*env
	host, service          string
	v4, v6                 bool
	typ                    string
	canon, passive, number bool
	python, reverse        bool
}

func newAddr(e *env) *cobra.Command {
	a := &addrCommand{env: e}
	c := &cobra.Command{
		Use:   "addr [flags] [HOST] [SERVICE]",
		Short: "Look a host and a service up, as getaddrinfo does",
		Example: `farend addr python.org www            # every address, best first
farend addr --python python.org 80    # as Python's tutorials print it
farend addr                           # this host: its name, its addresses`,
		Long: `HOST is a name or an address in any form (127.1, 0x7f000001, fe80::1%eth0), or
"" for none: loopback, or with --passive what a server binds to.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 {
				return fmt.Errorf("addr: a host and a service, not %d words", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeAddr,
		RunE: func(c *cobra.Command, args []string) error {
			args = append(args, "", "")
			own := len(args) == 2
			a.host, a.service = args[0], args[1]
			return a.run(c.Context(), own)
		},
	}
	f := c.Flags()
	f.BoolVarP(&a.v4, "ipv4", "4", false, "IPv4 only")
	f.BoolVarP(&a.v6, "ipv6", "6", false, "IPv6 only")
	f.StringVar(&a.typ, "type", "", "`KIND` of socket: stream, dgram or raw")
	f.BoolVar(&a.canon, "canon", false, "tell the canonical name (of a table, always)")
	f.BoolVar(&a.passive, "passive", false, "for a server: no HOST is every interface")
	f.BoolVar(&a.number, "numeric", false, "HOST and SERVICE are numbers: ask nobody")
	f.BoolVarP(&a.reverse, "reverse", "r", false, "names for an address, as getnameinfo does")
	f.BoolVar(&a.python, "python", false, "print the list of tuples that Python prints")
	return c
}

func (a *addrCommand) run(ctx context.Context, own bool) error {
	hints, err := a.hints()
	if err != nil {
		return usageErr(fmt.Errorf("addr: %w", err))
	}
	if own {
		return a.thisHost(ctx, hints)
	}
	if a.reverse {
		return a.names(ctx, hints)
	}
	infos, err := socket.GetAddrInfo(ctx, a.host, a.service, hints)
	if err != nil {
		return err
	}
	return a.print(infos)
}

// hints is getaddrinfo's third argument.
func (a *addrCommand) hints() (socket.Hints, error) {
	var h socket.Hints
	types := map[string]socket.Type{
		"": 0, "stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW,
		"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM,
	}
	var ok bool
	if h.Type, ok = types[strings.ToLower(strings.TrimPrefix(a.typ, "SOCK_"))]; !ok {
		return h, fmt.Errorf("--type %s: there are stream, dgram and raw", a.typ)
	}
	switch {
	case a.v4 && a.v6:
		return h, errors.New("either -4 or -6")
	case a.v4:
		h.Family = socket.AF_INET
	case a.v6:
		h.Family = socket.AF_INET6
	}
	if a.python && a.json {
		return h, errors.New("either --python or --json")
	}
	if a.reverse && (a.python || a.passive || a.host == "") {
		return h, errors.New("--reverse takes a HOST, and neither --python nor --passive")
	}
	if (a.canon || !a.python) && a.host != "" { // Python's list has it only when asked for
		h.Flags |= socket.AI_CANONNAME
	}
	if a.passive {
		h.Flags |= socket.AI_PASSIVE
	}
	if a.number {
		h.Flags |= socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
	}
	return h, nil
}

// thisHost tells this host's own name, as the tutorial's program does on its
// second line, and where it leads.
func (a *addrCommand) thisHost(ctx context.Context, hints socket.Hints) error {
	name, err := socket.GetHostname()
	if err != nil {
		return fmt.Errorf("this host's name: %w", err)
	}
	if !a.json {
		if _, err := fmt.Fprintln(a.out, name); err != nil {
			return err
		}
	}
	hints.Flags |= socket.AI_CANONNAME
	if a.python && !a.canon {
		hints.Flags &^= socket.AI_CANONNAME
	}
	if hints.Type == 0 {
		hints.Type = socket.SOCK_STREAM // each address once
	}
	infos, err := socket.GetAddrInfo(ctx, name, "", hints)
	if err != nil {
		return err
	}
	return a.print(infos)
}

// entry is an address as farend addr --json tells it.
type entry struct {
	Family   string `json:"family"`
	Type     string `json:"type"`
	Protocol string `json:"protocol"`
	Canon    string `json:"canonical_name,omitempty"`
	Address  string `json:"address"`
	Port     int    `json:"port"`
	Scope    uint32 `json:"scope_id,omitempty"`
	Numbers  [3]int `json:"numbers"` // family, type, protocol
}

func (a *addrCommand) print(infos []socket.AddrInfo) error {
	switch {
	case a.python:
		_, err := fmt.Fprintln(a.out, socket.TupleList(infos))
		return err
	case a.json:
		for _, i := range infos {
			if err := a.writeJSON(entryOf(i)); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAMILY\tTYPE\tPROTOCOL\tCANONICAL NAME\tADDRESS\tPORT")
	for _, i := range infos {
		e := entryOf(i)
		if e.Canon == "" {
			e.Canon = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", e.Family, e.Type, e.Protocol, e.Canon, e.Address, e.Port)
	}
	return w.Flush()
}

func entryOf(i socket.AddrInfo) entry {
	return entry{
		Family: i.Family.String(), Type: i.Type.String(), Protocol: i.Proto.String(), Canon: i.CanonName,
		Address: i.Addr.Addr().String(), Port: int(i.Addr.Port()), Scope: i.Addr.ScopeID(),
		Numbers: [3]int{int(i.Family), int(i.Type), int(i.Proto)},
	}
}

// nameOf is a name as farend addr --reverse --json tells it.
type nameOf struct {
	Address string `json:"address"`
	Host    string `json:"host"`
	Service string `json:"service,omitempty"`
}

// names is getnameinfo for each address that the host has.
func (a *addrCommand) names(ctx context.Context, hints socket.Hints) error {
	if hints.Type == 0 {
		hints.Type = socket.SOCK_STREAM
	}
	infos, err := socket.GetAddrInfo(ctx, a.host, a.service, hints)
	if err != nil {
		return err
	}
	flags := socket.NIFlags(0)
	if a.number {
		flags |= socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
	}
	if hints.Type == socket.SOCK_DGRAM {
		flags |= socket.NI_DGRAM
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, i := range infos {
		n := nameOf{Address: i.Addr.Addr().String()}
		n.Host, n.Service, err = socket.GetNameInfo(ctx, i.Addr, flags)
		if err != nil {
			return err
		}
		if a.service == "" {
			n.Service = ""
		}
		if a.json {
			if err := a.writeJSON(n); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join([]string{n.Address, n.Host, n.Service}, "\t"), "\t"))
	}
	return w.Flush()
}

// completeAddr completes the service; names of hosts are nobody's to list.
func completeAddr(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return beginning(begun, []string{"www", "http", "https", "ftp", "smtp", "pop3", "imap", "nntp", "telnet", "gopher", "domain", "echo"}),
		cobra.ShellCompDirectiveNoFileComp
}
