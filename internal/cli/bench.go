package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/load"
)

// exitMissed is bench's status when a --max is missed.
const exitMissed = 99

// benchCommand is what one farend bench was told.
type benchCommand struct {
	*env
	plan  load.Plan
	goals []load.Goal
	asked benchMessage

	max      []string
	sources  []string
	duration string
	timeout  seconds
	warmup   seconds
	before   string // --compare
	user     string
	helpAll  bool
	caFile   string
	insecure bool
}

func newBench(e *env) *cobra.Command {
	b := &benchCommand{env: e}
	c := &cobra.Command{
		Use:   "bench [flags] URL",
		Short: "Put load on a server and check every answer (more: --help-all)",
		Example: `farend bench tcp://localhost:50007 -c 100 --send 'hello\n' --expect line
farend bench udp://localhost:9 --rate 5000 --max 'p99<5ms' --json > before.json
farend bench greet://localhost:12345 -d 30s --compare before.json`,
		Annotations: map[string]string{statuses: "99 a --max was missed\n", details: benchDetails},
		Args:        func(_ *cobra.Command, args []string) error { return b.check(args) },
		RunE: func(c *cobra.Command, args []string) error {
			if b.helpAll {
				writeHelpAll(e.out, c)
				return nil
			}
			if c.Flags().Changed("requests") && b.plan.Requests == 0 {
				return usageErr(errors.New("bench: -n 0: at least one request"))
			}
			return b.run(c.Context(), args[0])
		},

		ValidArgsFunction: completeEndpoint,
	}
	f := c.Flags()
	f.IntVarP(&b.plan.Connections, "connections", "c", 1, "connections at once")
	f.StringVarP(&b.duration, "duration", "d", "", "how long: `TIME` (default 10s, without -n)")
	f.Uint64VarP(&b.plan.Requests, "requests", "n", 0, "how many requests at most")
	f.Float64Var(&b.plan.Rate, "rate", 0, "requests a second, timed from when planned")
	f.StringVar(&b.asked.as, "as", "", "speak as to a URL of `SCHEME`: echo, http ...")
	f.StringVarP(&b.user, "user", "u", "", "log in as `NAME:PASSWORD`")
	f.StringVar(&b.asked.send, "send", "", `a request: TEXT with \n \r \t \0 \\ \xHH`)
	f.Var(&b.asked.size, "size", "or a request of so many bytes (default 64)")
	f.StringVar(&b.asked.expect, "expect", "", "answer: same, line, 'N bytes', or its TEXT")
	f.IntVar(&b.plan.Depth, "depth", 1, "requests in flight on each connection")
	f.BoolVar(&b.plan.Reconnect, "reconnect", false, "a new connection for each request")
	f.Var(&b.timeout, "timeout", "for an answer (default 5s; datagrams 1s, then lost)")
	f.Var(&b.warmup, "warmup", "time before anything counts")
	f.StringArrayVar(&b.max, "max", nil, "p99<50ms, rate>=1e4, errors<1: 99 if missed; again")
	f.StringVar(&b.caFile, "cacert", "", "tls: trust the authorities in `FILE`")
	f.BoolVarP(&b.insecure, "insecure", "k", false, "tls: take any certificate")
	f.StringVar(&b.before, "compare", "", "compare with the --json of an earlier run, in `FILE`")
	f.StringArrayVar(&b.sources, "source", nil, "an address to connect from; again")
	f.IntVar(&b.plan.Depth, "pipeline", 1, "as --depth")
	f.BoolVar(&b.helpAll, "help-all", false, "all flags, and what is spoken to which URL")
	for _, long := range []string{"compare", "source", "pipeline", "warmup", "help-all"} { // for which one screen is too small
		f.Lookup(long).Hidden = true
	}
	return c
}

// benchDetails is what the man page of farend bench says more.
const benchDetails = `The URL's scheme says what is said, and each answer is checked:

  tcp tls unix udp  --send, or --size bytes; --expect, by default the same
  greet upper       the tutorials' greeting and capitals, a connection for each
  http https        GET of the URL, on connections that stay open: a status of 2xx
                    and the whole body, as the first one's with --expect same
  ftp ftps          a login, then RETR of the URL's path, each over its own data
                    connection; without a path PWD and NOOP
  gopher gophers    the URL's item, a connection for each
  smtp smtps        a message (--size) to the address that is the URL's path
  submission lmtp   the same; with -u after AUTH PLAIN
  pop3 pop3s        a login, then STAT and UIDL
  imap imaps        a login and SELECT of the URL's path, then NOOP and UID SEARCH
  nntp nntps        ARTICLE of the URL's articles, GROUP and LISTGROUP of its
                    group, or LIST ACTIVE
  telnet telnets    DO TIMING-MARK, and what comes back
  --as xmlrpc       with an http URL: a call of system.listMethods, or of --send
                    'METHOD ARG...'

Without -u, or a user in the URL, it is anonymous (ftp), bench (imap), or bench1,
bench2 ... (pop3). --as holds the conversation of another scheme.`

func (b *benchCommand) check(args []string) error {
	switch {
	case b.helpAll:
		return nil
	case len(args) == 0:
		return errors.New("bench: what? (farend bench tcp://localhost:50007)")
	case len(args) == 1:
		return nil
	}
	return fmt.Errorf("bench: one URL, not %d", len(args))
}

func (b *benchCommand) run(ctx context.Context, target string) error {
	before, err := b.readBefore()
	if err == nil {
		b.plan.Dialer, err = b.dialer()
	}
	if err == nil {
		err = b.understand(target)
	}
	if err != nil {
		return usageErr(fmt.Errorf("bench: %w", err))
	}
	limit, err := load.RaiseFiles(b.plan.Connections)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if limit > 0 && b.plan.Connections > 500 {
		b.say("open files: the limit is %d for this run", limit)
	}
	b.plan.Ready = b.ready
	r, err := load.Run(ctx, b.plan)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return b.conclude(ctx, r, before)
}

// conclude prints the result, with -q only what was missed or failed, and chooses the exit status.
func (b *benchCommand) conclude(ctx context.Context, r *load.Result, before *load.Result) error {
	report := newBenchReport(r, b.goals)
	if b.json {
		if err := b.writeJSON(report); err != nil {
			return err
		}
	} else if !b.quiet {
		if _, err := fmt.Fprint(b.out, report.text(b.plan, before)); err != nil {
			return err
		}
	}
	switch {
	case r.Interrupted:
		return exit(interruptedBy(ctx), nil)
	case report.missed() != "":
		return exit(exitMissed, fmt.Errorf("bench: missed: %s", report.missed()))
	case r.Replies == 0:
		return fmt.Errorf("bench: no right answer%s", firstOf(r))
	}
	return nil
}

// firstOf is what went wrong first, of the kind that happened most.
func firstOf(r *load.Result) string {
	var most load.Failure
	for _, k := range load.Failures() {
		if r.Errors[k] > r.Errors[most] {
			most = k
		}
	}
	if most == "" {
		return ""
	}
	return ": " + r.Examples[most]
}

// understand puts flags and the target together.
func (b *benchCommand) understand(target string) error {
	if err := b.asked.login(b.user); err != nil {
		return err
	}
	e, err := b.locate(target)
	if err != nil {
		return err
	}
	b.plan.Target = e.String()
	if b.plan.Connections < 1 || b.plan.Depth < 1 {
		return errors.New("at least one connection, and a depth of one")
	}
	if b.duration != "" {
		var d seconds
		if err := d.Set(b.duration); err != nil {
			return fmt.Errorf("-d %s: %w", b.duration, err)
		}
		b.plan.Duration = time.Duration(d)
	}
	b.plan.Timeout, b.plan.Warmup = time.Duration(b.timeout), time.Duration(b.warmup)
	for _, text := range b.max {
		g, err := load.ParseGoal(text)
		if err != nil {
			return err
		}
		b.goals = append(b.goals, g)
	}
	for _, text := range b.sources {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("--source %s: not an address", text)
		}
		b.plan.Sources = append(b.plan.Sources, a)
	}
	return b.asked.fill(&b.plan, e.Scheme)
}

// dialer has the certificates to trust.
func (b *benchCommand) dialer() (*dial.Dialer, error) {
	cfg := &tls.Config{InsecureSkipVerify: b.insecure, MinVersion: tls.VersionTLS12}
	if b.caFile != "" {
		pem, err := os.ReadFile(b.caFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: holds no PEM certificate", b.caFile)
		}
	}
	return &dial.Dialer{TLS: cfg}, nil
}

// ready tells what is worth knowing before the numbers come.
func (b *benchCommand) ready(s load.Setup) {
	if n := len(s.Sources); n > 0 && len(b.sources) == 0 {
		b.say("local addresses: %s-%s (one has %d source ports)", s.Sources[0], s.Sources[n-1], s.Ports)
	}
	if s.Short {
		b.say("source ports: one address has %d of them, for %d connections; --source adds addresses", s.Ports, b.plan.Connections)
	}
}
