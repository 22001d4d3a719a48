package transfer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/gopher"
)

// Options of a Client. The zero value asks nobody for a password, follows no
// redirect, tries nothing again, and does one thing at a time.
type Options struct {
	User, Password string      // for the hosts of the URLs given; no User: none
	Netrc          *open.Netrc // for all hosts that it names; nil: none
	TLS            *tls.Config // nil: the system's roots
	RequireTLS     bool        // ftp: demands AUTH TLS, mail STARTTLS or STLS
	From           string      // smtp: the sender; "": the URL's, or the header's
	To             []string    // smtp: the recipients, likewise
	Follow         int         // redirects; 0: none, below: the first is an error
	Fail           bool        // a status of 400 and above is an error
	Include        bool        // head of the answer before the body
	Header         http.Header // sent with requests of HTTP
	Limit          time.Duration
	Retries        int // after the first try, without any progress
	Parallel       int // transfers at once; 0: one
	Segments       int // pieces of one file at once, each by a connection of its own; 0: one
	RemoteTime     bool
	MakeDirs       bool
	// Talk gets a line of conversation, "> " or "< " before it; nil: nobody.
	Talk func(line string)
	// Say gets what a person wants to know; nil: nobody.
	Say func(format string, args ...any)
	// Meter counts; nil: nobody looks.
	Meter *Meter
	Out   io.Writer // standard output; nil: nothing is written there
	In    io.Reader // standard input: what is put, and what is typed to telnet:
}

// A Client moves files between here and where URLs lead. It is made by New;
// several goroutines may use it; Close ends its connections.
type Client struct {
	o       Options
	http    *http.Client
	header  http.Header // of every request; not to be changed
	dialer  dial.Dialer
	stored  *open.HTTPPasswordMgrWithDefaultRealm
	logins  bool            // something is stored
	hosts   map[string]bool // to which User and Password belong
	meter   *Meter
	buffers buffers

	mu      sync.Mutex
	pools   map[poolKey]*ftp.Pool
	folders map[string]*folder
	quick   quick
	jobs    int   // how many Get has to do
	piece   int64 // minPiece, but in tests
}

// New makes a Client for the URLs that a command line names: Options.User
// belongs to their hosts, and to no other.
func New(o Options, urls []*url.URL) (*Client, error) {
	c := &Client{
		o: o, meter: o.Meter, stored: &open.HTTPPasswordMgrWithDefaultRealm{}, hosts: map[string]bool{},
		pools: map[poolKey]*ftp.Pool{}, folders: map[string]*folder{}, piece: minPiece,
	}
	if c.meter == nil {
		c.meter = &Meter{}
	}
	c.dialer.TLS = o.TLS
	if o.Talk != nil {
		c.dialer.Tap = c.tap
	}
	for _, u := range urls {
		if err := c.trust(u); err != nil {
			return nil, err
		}
	}
	d := c.dialer
	d.Tap = nil
	c.quick.dial, c.quick.most, c.quick.idle = dialContext(d), c.connections(), map[string][]*quickConn{}
	c.header = http.Header{"User-Agent": {agent}}
	maps.Copy(c.header, o.Header)
	c.http = c.opener()
	return c, nil
}

// connections is how many to one server may be of use at once.
func (c *Client) connections() int { return max(1, c.o.Parallel) * max(1, c.o.Segments) }

// trust stores the password for a URL's host.
func (c *Client) trust(u *url.URL) error {
	c.hosts[u.Host] = true
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	user, password := c.o.User, c.o.Password
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	if user == "" {
		return nil
	}
	c.logins = true
	if err := c.stored.AddPassword(open.AnyRealm, u.Scheme+"://"+u.Host+"/", user, password); err != nil {
		return failure(CodeUsage, err)
	}
	return nil
}

// Close ends the connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	c.quick.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, p := range c.pools {
		err = errors.Join(err, p.Close())
	}
	for _, f := range c.folders {
		err = errors.Join(err, f.root.Close())
	}
	return err
}

// FindUserPassword is the store of the handlers: -u and the URLs, then netrc.
func (c *Client) FindUserPassword(realm, uri string) (user, password string, ok bool) {
	if user, password, ok = c.stored.FindUserPassword(realm, uri); ok || c.o.Netrc == nil {
		return user, password, ok
	}
	return c.o.Netrc.FindUserPassword(realm, uri)
}

// opener puts the opener together.
func (c *Client) opener() *http.Client {
	redirects := -1
	if c.o.Follow > 0 {
		redirects = c.o.Follow
	}
	transport := &ftp.Transport{Options: c.ftpOptions(), StartTLS: c.o.RequireTLS, Login: c.ftpLogin}
	handlers := []open.Handler{
		open.TransportHandler{Base: c.transport()}, open.ProxyHandler{},
		open.HTTPRedirectHandler{Max: redirects},
		open.Scheme{Name: "ftp", RoundTripper: transport}, open.Scheme{Name: "ftps", RoundTripper: transport},
		open.Gopher(&gopher.Client{Dialer: &c.dialer}), c.news(), c.mail(), c.telnets(),
	}
	if c.logins || c.o.Netrc != nil {
		handlers = append(handlers, open.NewHTTPBasicAuthHandler(c), open.NewHTTPDigestAuthHandler(c))
	}
	if c.o.Talk != nil {
		handlers = append(handlers, open.Layer{Order: open.OrderProxy + 1, Wrap: c.overheard})
	}
	if !proxied() {
		handlers = append(handlers, open.Layer{Order: open.OrderProxy + 2, Wrap: func(next http.RoundTripper) http.RoundTripper {
			c.quick.next = next
			return &c.quick
		}})
	}
	return open.BuildOpener(handlers...)
}

// proxied tells whether the environment names a proxy of any kind.
func proxied() bool {
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// transport is the one of HTTP: as many connections are kept as work at once.
func (c *Client) transport() *http.Transport {
	d := c.dialer
	d.Tap = nil
	cfg := &tls.Config{}
	if c.o.TLS != nil {
		cfg = c.o.TLS.Clone()
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	return &http.Transport{
		DialContext:           dialContext(d),
		TLSClientConfig:       cfg,
		ForceAttemptHTTP2:     c.o.Segments <= 1, // its streams share a connection
		DisableCompression:    true,
		MaxIdleConnsPerHost:   c.connections(),
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   30 * time.Second,
		ExpectContinueTimeout: time.Second,
		ReadBufferSize:        16 << 10,
	}
}

func (c *Client) ftpOptions() ftp.Options { return ftp.Options{Dialer: c.dialer} }

// ftpUser is who logs in where the URL does not say: nobody is anonymous.
func (c *Client) ftpUser(u *url.URL) (user, password string) {
	if c.o.User != "" && c.hosts[u.Host] {
		return c.o.User, c.o.Password
	}
	if c.o.Netrc != nil {
		if e, ok := c.o.Netrc.Lookup(u.Hostname()); ok {
			return e.Login, e.Password
		}
	}
	return "", ""
}

func (c *Client) ftpLogin(_ context.Context, u *url.URL) (user, password string, err error) {
	user, password = c.ftpUser(u)
	return user, password, nil
}

func (c *Client) say(format string, args ...any) {
	if c.o.Say != nil {
		c.o.Say(format, args...)
	}
}
