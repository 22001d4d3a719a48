package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/cli/talk"
)

// talkCommand is what one farend talk was told.
type talkCommand struct {
	*env
	to dial.Endpoint

	listen, keep, insecure bool
	v4, v6, udp            bool
	crlf, hex              bool
	wait                   seconds
	caFile                 string
	certFile, keyFile      string

	telnet   bool // by the rules of Telnet
	roots    *x509.CertPool
	own      *tls.Certificate // --cert and --key
	input    *talk.Input
	terminal *talk.Terminal // nil where stdin or stdout is none
	events   *talk.Events   // nil without --json
	restore  func()
	cancel   context.CancelCauseFunc
}

// errInterrupted is Ctrl-C on a terminal in raw mode, where it is no signal.
var errInterrupted = errors.New("interrupted")

func newTalk(e *env) *cobra.Command {
	t := &talkCommand{env: e}
	var k bool
	c := &cobra.Command{
		Use:   "talk [flags] ENDPOINT",
		Short: "Hold a conversation by hand, or pipe it",
		Example: `farend talk localhost:50007                      # by hand; :help lists commands
printf 'QUIT\r\n' | farend talk smtp://localhost # a pipe is raw, as with nc -N
farend talk -l -k tls::8443                      # be the other end`,
		Long: `tcp:host:port tls: udp: unix:path unixgram: smtp://host ...; host:port is tcp.
After the input's end datagrams wait for answers until -w (default 1s).`,
		Annotations: map[string]string{details: talkDetails},
		Args:        talkArgs,
		RunE: func(c *cobra.Command, args []string) error {
			t.keep, t.insecure = t.keep || k && t.listen, t.insecure || k && !t.listen
			return t.run(c.Context(), args)
		},
		ValidArgsFunction: completeEndpoint,
	}
	f := c.Flags()
	f.BoolVarP(&t.listen, "listen", "l", false, "wait for the peer to come, on ENDPOINT")
	f.BoolVarP(&k, "k", "k", false, "with -l as --keep-open (then the next peer), else as\n--insecure (tls: take any certificate)")
	f.BoolVar(&t.keep, "keep-open", false, "with -l: when the peer leaves, wait for the next")
	f.BoolVar(&t.insecure, "insecure", false, "tls: take any certificate")
	f.BoolVarP(&t.udp, "udp", "u", false, "datagrams: udp for tcp, unixgram for unix")
	f.BoolVarP(&t.v4, "ipv4", "4", false, "IPv4 only")
	f.BoolVarP(&t.v6, "ipv6", "6", false, "IPv6 only")
	f.BoolVarP(&t.crlf, "crlf", "C", false, "send line feeds as CR LF")
	f.VarP(&t.wait, "wait", "w", "limit of connecting, and of silence (5, 500ms)")
	f.BoolVarP(&t.hex, "hex", "x", false, "both directions in hexadecimal (of a pipe, on stderr)")
	f.StringVar(&t.caFile, "cacert", "", "tls: trust the authorities in `FILE`")
	f.StringVar(&t.certFile, "cert", "", "tls: our certificate, a PEM `FILE` (-l: else one is made)")
	f.StringVar(&t.keyFile, "key", "", "tls: its key, a PEM `FILE` (default: that of --cert)")
	for _, long := range []string{"keep-open", "insecure"} {
		f.Lookup(long).Hidden = true // -k tells of both
	}
	return c
}

// talkDetails is what the man page of farend talk says more.
const talkDetails = `With --json stdout gets the conversation as events, one object in a line:
listening (network, address), opened (local, peer, tls), said (by: ours or
theirs; text, or base64 where it is not UTF-8) and closed (error, if it was
one). One said is a datagram, or what came of a stream at once.

starttls:host:port begins in clear, for :starttls on a terminal; a pipe has no
way to say it, and is refused.`

// talkArgs is one endpoint, or nc's host and port.
func talkArgs(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("talk: to whom? (farend talk tcp:localhost:50007)")
	case 1, 2:
		return nil
	}
	return fmt.Errorf("talk: one endpoint, not %d", len(args))
}

func (t *talkCommand) run(ctx context.Context, args []string) error {
	if err := t.understand(args); err != nil {
		return usageErr(fmt.Errorf("talk: %w", err))
	}
	if err := t.loadFiles(); err != nil {
		return usageErr(fmt.Errorf("talk: %w", err))
	}
	ctx, t.cancel = context.WithCancelCause(ctx)
	defer t.cancel(nil)
	t.input = talk.NewInput(t.in)
	if t.json {
		t.events = talk.NewEvents(t.out)
	}
	t.restore = func() {}
	defer func() { t.restore() }()
	var err error
	if t.listen {
		err = t.listenFor(ctx)
	} else {
		err = t.connect(ctx)
	}
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return exit(exitInterrupted, nil)
	}
	return err
}

// understand puts flags and arguments together.
func (t *talkCommand) understand(args []string) error {
	endpoint := args[0]
	if len(args) == 2 {
		endpoint = net.JoinHostPort(args[0], args[1])
	}
	var err error
	if t.to, err = talkEndpoint(endpoint, t.listen); err != nil {
		return err
	}
	t.telnet = t.isTelnet(endpoint)
	if t.udp {
		packet := map[dial.Scheme]dial.Scheme{
			dial.TCP: dial.UDP, dial.UDP: dial.UDP, dial.Unix: dial.Unixgram, dial.Unixgram: dial.Unixgram,
		}[t.to.Scheme]
		if packet == "" {
			return fmt.Errorf("%s: has no datagrams, so not with -u", t.to.Scheme)
		}
		t.to.Scheme = packet
	}
	switch {
	case t.v4 && t.v6:
		return errors.New("either -4 or -6")
	case t.keep && !t.listen:
		return errors.New("--keep-open goes with -l")
	case t.insecure && t.listen:
		return errors.New("--insecure goes with connecting, not with -l")
	case t.to.Scheme == dial.StartTLS && !t.interactive():
		return fmt.Errorf("%s: nobody tells a pipe when TLS is to begin, and all would go in clear; on a terminal, type :starttls", t.to)
	case t.keyFile != "" && t.certFile == "":
		return errors.New("--key goes with --cert")
	}
	return nil
}

func (t *talkCommand) loadFiles() error {
	if t.caFile != "" {
		pem, err := os.ReadFile(t.caFile)
		if err != nil {
			return err
		}
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s: holds no PEM certificate", t.caFile)
		}
	}
	if t.certFile == "" {
		return nil
	}
	key := t.keyFile
	if key == "" {
		key = t.certFile
	}
	pair, err := tls.LoadX509KeyPair(t.certFile, key)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	t.own = &pair
	return nil
}

// interactive tells whether somebody sits at both ends.
func (t *talkCommand) interactive() bool {
	name, _ := t.getenv("TERM")
	return !t.json && name != "dumb" && isTerminal(t.in) && isTerminal(t.out)
}

// tell is a line for people: on a terminal, or with -v.
func (t *talkCommand) tell(text string) {
	switch {
	case t.terminal != nil && !t.quiet:
		t.terminal.Say(text)
	case t.verbose > 0 || t.interactive():
		t.say("%s", text)
	}
}

// converse holds the conversation with p until it ends, and closes p.
func (t *talkCommand) converse(ctx context.Context, p *talk.Peer) error {
	o := talk.Options{CRLF: t.crlf, Idle: time.Duration(t.wait), Keep: t.keep}
	if !t.interactive() {
		return t.pipe(ctx, p, o)
	}
	if err := t.takeTerminal(); err != nil {
		return errors.Join(err, p.Abort())
	}
	c := talk.Console{Options: o, Terminal: t.terminal, Hex: t.hex, Roots: t.roots, TLS: t.stepUp}
	return c.Hold(ctx, p)
}

// pipe is a conversation without a person.
func (t *talkCommand) pipe(ctx context.Context, p *talk.Peer, o talk.Options) error {
	o.Note = func(text string) { t.sayMore("%s", text) }
	if t.hex {
		o.Dump = talk.NewDump(t.err)
	}
	if t.events == nil {
		return talk.Pipe(ctx, p, t.input, t.out, o)
	}
	o.JSON = t.events
	var err error
	if !p.Packet || !t.listen { // or the first datagram tells who it is
		err = t.events.Opened(p)
	}
	if err != nil {
		return errors.Join(err, p.Abort())
	}
	err = talk.Pipe(ctx, p, t.input, t.out, o)
	if ctx.Err() != nil { // stdout may be what nobody reads
		return err
	}
	return errors.Join(err, t.events.Closed(err))
}

// takeTerminal puts the terminal into raw mode, once.
func (t *talkCommand) takeTerminal() error {
	if t.terminal != nil {
		return nil
	}
	in, out := int(t.in.(*os.File).Fd()), int(t.out.(*os.File).Fd())
	before, err := term.MakeRaw(in)
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	rw := struct {
		io.Reader
		io.Writer
	}{t.in, t.out}
	size := func() (int, int, error) { return term.GetSize(out) }
	t.terminal = talk.NewTerminal(rw, size, func() { t.cancel(errInterrupted) })
	t.restore = func() {
		t.terminal.Close()
		_ = term.Restore(in, before) // there is nothing more to be done for it
	}
	return nil
}

// network is socket's name for a kind of socket in the family asked for.
func (t *talkCommand) network(kind string) string {
	switch {
	case t.v4:
		return kind + "4"
	case t.v6:
		return kind + "6"
	}
	return kind
}

// seconds is a time limit as nc takes it, a number of seconds, or one of Go's.
type seconds time.Duration

func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Set reads it.
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, plain := strconv.ParseFloat(text, 64); plain == nil {
		d, err = time.Duration(n*float64(time.Second)), nil
	}
	if err != nil || d <= 0 {
		return errors.New("want a time above 0: 5, 500ms, 2m")
	}
	*s = seconds(d)
	return nil
}

// Type is how help calls it.
func (s *seconds) Type() string { return "TIME" }
