package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/farend-go/farend/internal/cli/transfer"
	"github.com/farend-go/farend/open"
)

// transferCommand is what get and put have in common.
type transferCommand struct {
	*env
	o         transfer.Options
	user      string
	caFile    string
	insecure  bool
	limit     seconds
	netrc     bool
	headers   []string
	redirects int
	helpAll   bool
	meter     *transfer.Meter
}

func (t *transferCommand) flags(f *pflag.FlagSet) {
	f.IntVarP(&t.o.Parallel, "parallel", "j", 4, "how many at once")
	f.StringVarP(&t.user, "user", "u", "", "log in as `USER:PASSWORD`, asked if missing")
	f.BoolVarP(&t.insecure, "insecure", "k", false, "take any certificate")
	f.StringVar(&t.caFile, "cacert", "", "trust the authorities in `FILE`")
	f.BoolVar(&t.o.RequireTLS, "ssl-reqd", false, "ftp: turn to TLS first, or fail")
	f.VarP(&t.limit, "max-time", "m", "for each URL")
	f.BoolVarP(&t.o.Fail, "fail", "f", false, "a status of 400 and above is a failure")
	f.BoolVarP(&t.netrc, "netrc", "n", false, "passwords from ~/.netrc")
	f.BoolVar(&t.o.MakeDirs, "create-dirs", false, "make the directories that are missing")
	f.IntVar(&t.o.Retries, "retry", 3, "tries after one that came no further")
	f.StringArrayVarP(&t.headers, "header", "H", nil, "http: send `NAME: VALUE` too; again")
	f.IntVar(&t.redirects, "max-redirs", 50, "how many redirects -L follows")
	f.BoolVar(&t.helpAll, "help-all", false, "all flags, and more about them")
	hide(f, "netrc", "create-dirs", "retry", "header", "max-redirs", "help-all")
}

// hide keeps flags for --help-all.
func hide(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f.Lookup(name).Hidden = true
	}
}

// client makes the one of the command line.
func (t *transferCommand) client(urls []*url.URL) (*transfer.Client, error) {
	if t.o.Parallel < 1 {
		return nil, usagef("-j %d: at least one", t.o.Parallel)
	}
	if err := t.login(); err != nil {
		return nil, err
	}
	if err := t.trust(); err != nil {
		return nil, err
	}
	for _, line := range t.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(line, "\r\n") {
			return nil, usagef("-H %q: want NAME: VALUE", line)
		}
		if t.o.Header == nil {
			t.o.Header = http.Header{}
		}
		t.o.Header.Add(name, strings.TrimSpace(value))
	}
	t.meter = &transfer.Meter{}
	t.o.Meter = t.meter
	t.o.Limit = time.Duration(t.limit)
	var lines sync.Mutex
	if t.verbose > 0 {
		t.o.Talk = func(line string) {
			lines.Lock()
			defer lines.Unlock()
			t.say("%s", line)
		}
	}
	t.o.Say = func(format string, args ...any) {
		lines.Lock()
		defer lines.Unlock()
		t.say(format, args...)
	}
	c, err := transfer.New(t.o, urls)
	if err != nil {
		return nil, exit(transfer.Code(err), err)
	}
	return c, nil
}

// login reads who logs in; a password that is not there is asked for.
func (t *transferCommand) login() error {
	name, password, given := strings.Cut(t.user, ":")
	if t.user != "" && !given {
		f, ok := t.in.(*os.File)
		if !ok || !isTerminal(t.in) {
			return usagef("-u %s: want USER:PASSWORD", t.user)
		}
		fmt.Fprintf(t.err, "Password of %s: ", name)
		secret, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(t.err)
		if err != nil {
			return fmt.Errorf("reading the password: %w", err)
		}
		password = string(secret)
	}
	t.o.User, t.o.Password = name, password
	if !t.netrc {
		return nil
	}
	file := ""
	if home, ok := t.getenv("HOME"); ok {
		file = home + "/.netrc"
	}
	n, err := open.ReadNetrc(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return exit(transfer.CodeLocalRead, fmt.Errorf("-n: %w", err))
	}
	t.o.Netrc = n
	return nil
}

// trust says which certificates are good.
func (t *transferCommand) trust() error {
	t.o.TLS = &tls.Config{InsecureSkipVerify: t.insecure, MinVersion: tls.VersionTLS12}
	if t.caFile == "" {
		return nil
	}
	pem, err := os.ReadFile(t.caFile)
	if err != nil {
		return exit(exitBadCA, fmt.Errorf("--cacert: %w", err))
	}
	t.o.TLS.RootCAs = x509.NewCertPool()
	if !t.o.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return exit(exitBadCA, fmt.Errorf("--cacert: %s: holds no PEM certificate", t.caFile))
	}
	return nil
}

// exitBadCA is curl's number for authorities that cannot be read.
const exitBadCA = 77

// gcPercent is for what holds little and makes much of it anew.
const gcPercent = 400

// event is what --json says of a transfer that is over.
type event struct {
	URL     string  `json:"url"`
	Action  string  `json:"action,omitempty"` // of a mirror
	File    string  `json:"file,omitempty"`
	Bytes   int64   `json:"bytes"`
	Resumed int64   `json:"resumed,omitempty"`
	Status  int     `json:"status,omitempty"`
	Tries   int     `json:"tries,omitempty"`
	Seconds float64 `json:"seconds"`
	Skipped string  `json:"skipped,omitempty"`
	Error   string  `json:"error,omitempty"`
	Exit    int     `json:"exit"`
}

// finish runs transfers, tells of each, and chooses the exit status: that of
// the first one that failed, in their order.
func (t *transferCommand) finish(ctx context.Context, verb string, taken bool, run func(report func(i int, r transfer.Result))) error {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // of a short life: memory costs less than to collect it
	first, code := -1, 0
	done := t.progress(taken)
	run(func(i int, r transfer.Result) {
		c := transfer.Code(r.Err)
		if t.json {
			t.event(r, c, taken)
		}
		if r.Err == nil || ctx.Err() != nil {
			return
		}
		t.sayError(during(verb+" "+r.URL, tidy(r.Err)))
		if first < 0 || i < first {
			first, code = i, c
		}
	})
	done()
	if ctx.Err() != nil {
		t.say("stopped; the same command goes on")
		return ctx.Err()
	}
	if first >= 0 {
		return exit(code, nil)
	}
	return nil
}

// event prints an event: on standard output, unless that is taken by data.
func (t *transferCommand) event(r transfer.Result, code int, taken bool) {
	ev := event{
		URL: r.URL, Action: r.Action, File: r.File, Bytes: r.Bytes, Resumed: r.Resumed, Status: r.Status, Tries: r.Tries,
		Seconds: r.Time.Seconds(), Skipped: r.Skipped, Exit: code,
	}
	if r.Err != nil {
		ev.Error = oneLine(tidy(r.Err))
	}
	out := *t.env
	if taken {
		out.out = out.err
	}
	_ = out.writeJSON(ev) // whoever read it has gone
}

// tidy says in words what a person does not know by its name.
func tidy(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the time is up (-m)")
	case transfer.Code(err) == transfer.CodeCertificate:
		return fmt.Errorf("%w (-k takes any certificate, --cacert FILE trusts its authority)", err)
	}
	return err
}
