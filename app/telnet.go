package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// telnetServices are those of terminals.
func telnetServices() []Service {
	var out []Service
	for i, p := range telnet.Protocols() {
		s := Service{
			Protocol: p, Serve: []int{2323, 2992}[i], Logins: true, UsesTLS: true, TLS: i == 1, NoVerbs: true,
			Idle: time.Hour, Turn: time.Hour, Try: []string{"farend talk %s", "farend talk --cacert CA_FILE %s"}[i],
		}
		s.Stream = func(a *App, at Address) server.Handler { return a.telnetHandler(s, at) }
		out = append(out, s)
	}
	return out
}

// telnetHandler is that of a listener.
func (a *App) telnetHandler(s Service, at Address) server.Handler {
	h := &telnet.Handler{Shell: a.shells.open, Welcome: "farend's Telnet server is ready.\n"}
	if len(a.cfg.Users) > 0 {
		h.Auth, h.TLS, h.Cert = a.logins, a.startTLS(s, at), auth.ServerCertificate(a.certs.config)
	}
	if a.cfg.TelnetExec != "" {
		h.Run, h.Eager, h.Welcome = execTelnet(a.cfg.TelnetExec), true, ""
	}
	return h
}

// shells are the sessions of farend's own shell.
type shells struct {
	app   *App
	mu    sync.Mutex
	next  int
	those map[int]*shell
}

// shell is one of them.
type shell struct {
	all    *shells
	number int
	user   string
	peer   string
	since  time.Time
}

// shellCommand is what can be typed.
type shellCommand struct {
	name, usage, about string
	do                 func(s *shell, t *telnet.Terminal, rest string) error
}

func shellCommands() []shellCommand {
	return []shellCommand{
		{"help", "", "what can be typed", (*shell).help},
		{"who", "", "who is here, and what your terminal is", (*shell).who},
		{"echo", " TEXT", "says TEXT again", func(_ *shell, t *telnet.Terminal, rest string) error {
			t.Printf("%s\n", rest)
			return nil
		}},
		{"services", "", "what this farend serves", (*shell).services},
		{"transcript", "", "the bytes that you have sent of late", func(_ *shell, t *telnet.Terminal, _ string) error {
			t.Printf("%s\n", strings.TrimSuffix(t.Transcript(), "\n"))
			return nil
		}},
		{"exit", "", "hangs up", func(_ *shell, t *telnet.Terminal, _ string) error {
			t.Printf("Goodbye.\n")
			return io.EOF
		}},
	}
}

// shellPrompt is said when a line is wanted.
const shellPrompt = "farend> "

// open begins a session.
func (all *shells) open(_ context.Context, t *telnet.Terminal) (telnet.Shell, error) {
	s := &shell{all: all, user: t.User(), since: time.Now()}
	if s.user == "" {
		s.user = "-"
	}
	s.peer = nameOf(t.RemoteAddr())
	all.mu.Lock()
	defer all.mu.Unlock()
	all.next++
	s.number = all.next
	all.those[s.number] = s
	t.Printf("help tells what can be typed.\n")
	t.Prompt(shellPrompt)
	return s, nil
}

// Close ends a session.
func (s *shell) Close() error {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	delete(s.all.those, s.number)
	return nil
}

// Line answers a line.
func (s *shell) Line(_ context.Context, t *telnet.Terminal, line string) error {
	word, rest, _ := strings.Cut(strings.TrimLeft(line, " \t"), " ")
	name := strings.ToLower(word)
	if name == "quit" || name == "logout" {
		name = "exit"
	}
	commands := shellCommands()
	at := slices.IndexFunc(commands, func(c shellCommand) bool { return c.name == name })
	switch {
	case at >= 0:
		if err := commands[at].do(s, t, rest); err != nil {
			return err
		}
	case name != "":
		t.Printf("%q is no command; help tells what is.\n", word)
	}
	t.Prompt(shellPrompt)
	return nil
}

func (s *shell) help(t *telnet.Terminal, _ string) error {
	for _, c := range shellCommands() {
		t.Printf("%-12s %s\n", c.name+c.usage, c.about)
	}
	return nil
}

// who lists the sessions, in the order in which they came.
func (s *shell) who(t *telnet.Terminal, _ string) error {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(s.all.those)) {
		one := s.all.those[n]
		mark := " "
		if one == s {
			mark = "*"
		}
		t.Printf("%s %d %s from %s for %s\n", mark, n, one.user, one.peer, time.Since(one.since).Round(time.Second))
	}
	text := "your terminal has not said what it is"
	if name := t.Type(); name != "" {
		text = "your terminal is " + name
	}
	if w, h := t.Size(); w > 0 {
		text += fmt.Sprintf(", its window %d by %d", w, h)
	}
	t.Printf("%s\n", text)
	return nil
}

func (s *shell) services(t *telnet.Terminal, _ string) error {
	for _, l := range s.all.app.ready.Services {
		t.Printf("%-12s %-8s %s\n", l.Name, l.Network, l.Address)
	}
	return nil
}
