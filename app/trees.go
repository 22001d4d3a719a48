package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

// treeServices are those that serve the tree of files.
func treeServices() []Service {
	plain := gopher.Protocol()
	plain.Schemes = []string{"gopher"}
	secure := proto.Protocol{
		Name: "gophers", About: "gopher over TLS from the beginning", Schemes: []string{"gophers"},
		Stream: true, Client: plain.Client, Server: plain.Server,
	}
	var out []Service
	for _, p := range ftp.Protocols() {
		s := Service{Protocol: p, Serve: 2121, Logins: true, UsesTree: true, UsesTLS: true, OwnTLS: true, Try: "curl %s/"}
		s.Stream = func(a *App, at Address) server.Handler { return a.ftpHandler(s, at) }
		if p.Name == "ftps" {
			s.Serve, s.TLS, s.Try = 2990, true, "curl --cacert CA_FILE %s/"
		}
		out = append(out, s)
	}
	menus := func(a *App, _ Address) server.Handler {
		return gopher.NewHandler(files.Gopher(a.tree, files.GopherOptions{}), gopher.Options{})
	}
	return append(out,
		Service{Protocol: plain, Serve: 7070, UsesTree: true, Try: "curl %s/", Stream: menus},
		Service{Protocol: secure, Serve: 7443, UsesTree: true, UsesTLS: true, TLS: true, Try: "curl --cacert CA_FILE %s/", Stream: menus})
}

// plant opens the tree that is served, and says who may see it.
func (a *App) plant() error {
	var err error
	if a.cfg.Root == "" {
		a.tree, err = filetree.Sample(filetree.Options{})
	} else {
		a.tree, err = a.openRoot()
	}
	if err != nil {
		return err
	}
	a.accounts = &files.Accounts{Logins: a.openly(), Tree: a.tree}
	if len(a.cfg.Users) == 0 {
		a.accounts = &files.Accounts{Anonymous: a.tree, Anybody: a.tree}
	}
	return nil
}

func (a *App) openRoot() (filetree.Tree, error) {
	root, err := os.OpenRoot(a.cfg.Root)
	if err != nil {
		return nil, badConfig("root %s: %w", a.cfg.Root, withoutPath(err))
	}
	a.cleanups = append(a.cleanups, func() { _ = root.Close() }) // it was only read, or what was written is
	tree, err := filetree.Dir(root, filetree.Options{ReadOnly: !a.cfg.Writable})
	if err == nil {
		_, err = tree.ReadDir(".")
	}
	if err != nil {
		return nil, badConfig("root %s: %w", a.cfg.Root, withoutPath(err))
	}
	return tree, nil
}

// withoutPath is what went wrong, without what was tried.
func withoutPath(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// The ports of passive data connections where nobody says otherwise.
const (
	firstPassive = 2122
	lastPassive  = 2131
)

// ftpKind is what tells handlers of FTP apart. Listeners of one kind share a
// handler, and with it their passive ports.
type ftpKind struct {
	service  string
	implicit bool
	ports    ftp.PortRange
}

func (a *App) ftpHandler(s Service, at Address) *ftp.Handler {
	kind := ftpKind{s.Name, s.TLS || at.TLS, a.cfg.PassivePorts}
	if kind.ports == (ftp.PortRange{}) && at.Port != "0" {
		kind.ports = ftp.PortRange{First: firstPassive, Last: lastPassive}
	}
	if h := a.ftp[kind]; h != nil {
		return h
	}
	h := &ftp.Handler{
		Backend: files.FTP(a.accounts.FTP), Welcome: "farend's FTP server is ready",
		TLS: a.certs.config, Implicit: kind.implicit, Ports: kind.ports,
	}
	if a.faults.Layer(s.Name) != nil {
		h.Layer = faults.Beside
	}
	a.ftp[kind] = h
	return h
}

// refuseWide refuses to let everybody in from everywhere: a service with
// logins, and no users, is for this host alone.
func (a *App) refuseWide(s Service, where string) error {
	logins := s.Logins || s.LoginToWrite && a.canWrite()
	if !logins || len(a.cfg.Users) > 0 {
		return nil
	}
	host, _, err := net.SplitHostPort(where)
	if err != nil {
		host = where
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Unmap().IsLoopback() {
		return nil
	}
	return badConfig("%s at %s: anybody could log in from elsewhere; name who may with --user NAME:PASSWORD", s.Name, where)
}

// url is where a client finds the listener.
func (l *listener) url(s Service, at Address) string {
	scheme := l.Network
	switch {
	case l.Network == "tcp" && s.Scheme != "":
		scheme = s.Scheme
		if at.TLS && !s.TLS {
			scheme += "s"
		}
	case l.Network == "tcp" && len(s.Schemes) > 0 && at.TLS && !s.TLS:
		scheme = s.Name + "s"
	case l.Network == "tcp" && len(s.Schemes) > 0:
		scheme = s.Name
	case at.TLS || s.TLS:
		scheme = "tls"
	}
	return scheme + "://" + l.Address
}

// certsFor is the TLS that the server of a listener does before its handler;
// nil: none.
func (a *App) certsFor(s Service, at Address) *tls.Config {
	if s.OwnTLS || !s.TLS && !at.TLS {
		return nil
	}
	if s.NextProtos == nil {
		return a.certs.config
	}
	c := a.certs.config.Clone()
	c.NextProtos = slices.Clone(s.NextProtos)
	if a.faults.Layer(s.Name) != nil { // whose rules know no verbs in HTTP/2
		c.NextProtos = slices.DeleteFunc(c.NextProtos, func(p string) bool { return p == "h2" })
	}
	return c
}

// checkUsers finds accounts that nobody could log in to. What it says has no
// password in it.
func (c Config) checkUsers() error {
	for name, password := range c.Users {
		if err := checkUser(name, password); err != nil {
			return &ConfigError{err}
		}
	}
	if p := c.PassivePorts; p.First > p.Last || p.First == 0 && p.Last > 0 {
		return badConfig("passive ports %d-%d: want a range, as in 2122-2131", p.First, p.Last)
	}
	return nil
}

func checkUser(name, password string) error {
	switch {
	case name == "":
		return errors.New("the name of a user is missing: want NAME:PASSWORD")
	case password == "":
		return fmt.Errorf("user %q: the password is missing: want NAME:PASSWORD", name)
	case strings.ContainsAny(name+password, "\r\n\x00"):
		return fmt.Errorf("user %q: no protocol can carry a line end or NUL", name)
	}
	return nil
}
