package cli

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/server"
)

func newServe(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve [SERVICE...]",
		Short: "Serve the far end",
		Example: `farend serve                       # every service that exists
farend serve greet echo upper      # the tutorials' three servers
farend serve --listen echo=:0 --explain --fault 'echo after=5 do=reset'`,
		Long: `ADDRESS is host:port, [::1]:port, :port (loopback), unix:PATH, unixgram:PATH,
tls:host:port, systemd:NAME, fd:N, inetd:. TLS, ports: farend serve --help-all`,
		Annotations: map[string]string{
			details:  serveDetails + faultDetails(),
			statuses: "130 a second signal came before all had ended; the first one is a good end\n",
		},
	}
	serviceFlags(c.Flags())
	c.Flags().String("ready-file", "", "write the ready line to `FILE`, by rename")
	c.Flags().Bool("handover", false, "SIGHUP: a new process takes over; UDP: 1 core")
	fieldFlags(c.Flags())
	hide(c.Flags(), "handover")
	c.ValidArgsFunction = completeServices
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		e.leaveSocket(inetdMeant(c.Flags(), e.environ))
		return flagError(c, err)
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if all, err := c.Flags().GetBool("help-all"); all || err != nil {
			writeHelpAll(e.out, c)
			return err
		}
		return e.serve(c.Context(), c.Flags(), args)
	}
	return c
}

// serviceFlags are the flags of every command that serves. Their names are the
// keys of app.Settings.
func serviceFlags(f *pflag.FlagSet) {
	f.StringArray("listen", nil, "where, as `SERVICE=ADDRESS`; again: one more")
	f.String("root", "", "serve `DIR`; without, a sample in memory")
	f.String("data", "", "keep mail and news in `DIR`; without, in memory")
	f.StringArray("group", nil, "make the newsgroup `NAME`; none: local.test")
	f.Bool("writable", false, "let ftp and http write into --root")
	f.StringArray("user", nil, "an account, `NAME:PASSWORD`; none: all may in")
	f.String("engine", "", "`NAME`: goroutines, events (epoll), uring")
	f.Duration("drain", 5*time.Second, "for what is in flight at the end")
	f.Bool("explain", false, "tell what each connection does, and why")
	f.String("transcript", "", "write every conversation to `DIR`")
	f.StringArray("fault", nil, "misbehave by `RULE`: 'echo after=5 do=close'")
	f.String("cert", "", "PEM `FILE` for TLS; without, one is made")
	f.String("key", "", "PEM `FILE` of its key")
	f.String("ca-out", "", "`FILE` for the authority of the one made")
	f.String("passive-ports", "", "ftp data, `A-B` (2122-2131; ftp=:0: any free)")
	f.String("telnet-exec", "", "telnet runs `COMMAND` on a pty, not our shell")
	f.String("config", "", "TOML `FILE`: engine = \"events\" [echo] ...")
	hide(f, "cert", "key", "ca-out", "passive-ports", "telnet-exec")
}

// settings merges flags over the environment over the file.
func (e *env) settings(f *pflag.FlagSet, services []string) (app.Settings, error) {
	flags := app.Settings{}
	if len(services) > 0 {
		flags["services"] = app.Setting{Values: services, From: "the command line"}
	}
	f.Visit(func(flag *pflag.Flag) {
		if c := flag.Value; flag.Name != "listen" {
			values := []string{c.String()}
			if list, ok := c.(pflag.SliceValue); ok {
				values = list.GetSlice()
			}
			flags[flag.Name] = app.Setting{Values: values, From: "--" + flag.Name}
		}
	})
	listen, err := f.GetStringArray("listen")
	if err == nil {
		err = flags.AddListen(listen)
	}
	if err != nil {
		return nil, err
	}
	environ, ignored := app.FromEnviron(e.environ)
	all := flags.Over(environ)
	path, _ := e.getenv("FAREND_CONFIG")
	if f.Changed("config") {
		path = flags.Text("config")
	}
	if path != "" {
		file, err := app.FromFile(path)
		if err != nil {
			return nil, err
		}
		all = all.Over(file)
	}
	if err := e.tone(all); err != nil {
		return nil, err
	}
	for _, line := range ignored {
		e.say("farend: %s", line)
	}
	return all, nil
}

// tone sets how much is said, and how.
func (e *env) tone(s app.Settings) (err error) {
	if e.quiet, err = s.Bool("quiet"); err != nil {
		return err
	}
	if e.json, err = s.Bool("json"); err != nil {
		return err
	}
	e.verbose, err = s.Count("verbose")
	return err
}

// serveError gives err the exit status that it deserves.
func serveError(doing string, err error) error {
	err = during(doing, err)
	if _, bad := errors.AsType[*app.ConfigError](err); bad {
		return usageErr(err)
	}
	return err
}

func (e *env) serve(ctx context.Context, f *pflag.FlagSet, services []string) error {
	begun := time.Now()
	e.leaveSocket(inetdMeant(f, e.environ))
	settings, err := e.settings(f, services)
	if err != nil {
		return serveError("serve", err)
	}
	cfg, err := settings.Config()
	if err != nil {
		return serveError("serve", err)
	}
	e.leaveSocket(slices.ContainsFunc(cfg.Listen, func(p app.Place) bool { return p.Address.Inherited == inetd }))
	in, err := server.Inherit(server.Process{Getenv: func(name string) string { v, _ := e.getenv(name); return v }})
	if err != nil {
		return during("serve", err)
	}
	cfg.Inherited = in
	if _, told := e.getenv("GOGC"); cfg.Data != "" && !told { // what is kept on the disk leaves little in memory
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	s := &serveRun{env: e, in: in, file: settings.Text("ready-file"), begun: begun}
	if s.change, err = e.newChange(settings, in); err != nil {
		return serveError("serve", err)
	}
	if s.change != nil {
		cfg.Handover = &s.change.Handover
		defer s.change.Close()
	}
	if s.file != "" && !in.HandedOver() {
		_ = os.Remove(s.file) // one of an earlier time would be believed
	}
	defer outlivePipes()()
	s.data = newPrinter(e.out)
	defer s.data.close()
	s.talk = newPrinter(e.err)
	defer s.talk.close()
	if err := e.hear(&cfg, settings, s.data, s.talk); err != nil {
		return serveError("serve", err)
	}
	if s.App, err = app.Listen(ctx, cfg); err != nil {
		return serveError("serve", err)
	}
	s.terms = terms(cfg, s.Ready())
	return s.run(ctx)
}

// serveRun is a farend serve whose sockets are bound.
type serveRun struct {
	*env
	*app.App
	in         *server.Inherited
	change     *change // nil: no hand-over
	file       string  // for the ready line; empty: none
	terms      string  // lines of the table about what is kept, and for whom
	data, talk *printer
	begun      time.Time
}

func (s *serveRun) run(ctx context.Context) error {
	if err := s.announce(); err != nil {
		s.Close()
		return during("serve", err)
	}
	stop := context.AfterFunc(ctx, func() {
		s.data.hurry()
		s.talk.hurry()
	})
	defer stop()
	if err := s.serveOn(ctx); err != nil {
		return exit(exitFailed, during("serve", err))
	}
	return nil
}

// hear sets what the services tell, and to whom. Without data their notes are
// not for anybody.
func (e *env) hear(cfg *app.Config, settings app.Settings, data, talk *printer) error {
	cfg.Log = e.logTo(talk)
	switch {
	case e.quiet, data == nil:
	case e.json:
		cfg.Say = func(n app.Note) { data.print(noteJSON(n)) }
	default:
		cfg.Say = func(n app.Note) { data.print(noteText(n)) }
	}
	if !e.quiet {
		cfg.Notice = func(line string) { talk.print([]byte("farend: " + line + "\n")) }
	}
	explain, err := settings.Bool("explain")
	if err != nil {
		return err
	}
	if explain {
		cfg.Ears = append(cfg.Ears, app.Explain(talk))
	}
	return nil
}
