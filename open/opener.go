package open

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/telnet"
)

// URL opens a URL with the installed opener, by GET. The caller closes the
// answer's Body; until then it streams. A status such as 404 is an answer, not
// an error; the errors are *url.Error, and errors.Is and errors.As find in them
// what went wrong: the errno, the context's error, those of crypto/x509,
// fs.ErrNotExist, ErrTooManyRedirects. ctx ends the reading of the Body too.
// Any number of goroutines may call it.
func URL(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return opener().Do(req)
}

// installed is the process-wide default, which InstallOpener exists to change;
// nil stands for usual.
var installed atomic.Pointer[http.Client]

// usual is what URL uses while nothing is installed.
var usual = sync.OnceValue(func() *http.Client { return BuildOpener() })

func opener() *http.Client {
	if c := installed.Load(); c != nil {
		return c
	}
	return usual()
}

// InstallOpener makes c what URL uses in the whole process, and gives what was
// installed before: nil if nothing was. InstallOpener(previous) restores it,
// and nil is what BuildOpener() makes. It may be called at any time; calls of
// URL in flight end with the opener they began with.
func InstallOpener(c *http.Client) (previous *http.Client) { return installed.Swap(c) }

// A Handler is one part of an opener; BuildOpener has each join in turn.
type Handler interface{ Join(p *Plan) }

// A Plan is an opener while it is put together.
type Plan struct {
	Client    *http.Client    // what BuildOpener will give; its Transport is set last
	Transport *http.Transport // what speaks HTTP, and knows the other schemes
	schemes   map[string]http.RoundTripper
	layers    []layer
	origin    []authenticator
	proxy     []authenticator
}

type layer struct {
	order int
	wrap  func(next http.RoundTripper) http.RoundTripper
}

// The orders at which the handlers of this package wrap: a request goes from
// the lowest to the highest, an answer the other way. One of your own goes
// where it belongs; 500 is usual.
const (
	OrderRetry  = 100
	OrderDecode = 200
	OrderUsual  = 500
	OrderAuth   = 700
	OrderProxy  = 800
)

// Wrap has requests go through a layer. Those of one order stand as they were
// added, the first outermost. Redirects are followed outside of all of them:
// each layer sees every single request.
func (p *Plan) Wrap(order int, wrap func(next http.RoundTripper) http.RoundTripper) {
	p.layers = append(p.layers, layer{order, wrap})
}

// Layer is a Handler of your own: a RoundTripper around the next one.
type Layer struct {
	Order int // 0: OrderUsual
	Wrap  func(next http.RoundTripper) http.RoundTripper
}

// Join wraps.
func (l Layer) Join(p *Plan) {
	if l.Order == 0 {
		l.Order = OrderUsual
	}
	p.Wrap(l.Order, l.Wrap)
}

// BuildOpener puts an opener together. Without handlers it knows http, https,
// ftp, ftps, gopher, gophers, nntp, nntps, news, pop(s), imap(s), smtp(s),
// telnet, telnets, file and data, takes the proxies of http and https from the
// environment, follows redirects as the zero HTTPRedirectHandler does, keeps no
// cookies, knows no password and unpacks nothing. A handler replaces what stands
// in its place.
func BuildOpener(handlers ...Handler) *http.Client {
	p := newPlan(nil)
	usual := []Handler{
		ProxyHandler{}, HTTPRedirectHandler{}, File(nil), Data(), FTP(ftp.Options{}), Gopher(nil),
		NNTP(nntp.Options{}, ""), POP(pop3.Options{}), IMAP(imap.Options{}), SMTP(smtp.Options{}), Telnet(telnet.ClientOptions{}),
	}
	for _, h := range slices.Concat(usual, handlers) {
		h.Join(p)
	}
	return p.finish()
}

func newPlan(base *http.Transport) *Plan {
	p := &Plan{Client: &http.Client{}, schemes: map[string]http.RoundTripper{}}
	TransportHandler{base}.Join(p)
	return p
}

func (p *Plan) finish() *http.Client {
	for name, rt := range p.schemes {
		p.Transport.RegisterProtocol(name, rt)
	}
	if len(p.origin) > 0 {
		p.Wrap(OrderAuth, func(next http.RoundTripper) http.RoundTripper { return &originAuth{next, p.origin} })
	}
	if len(p.proxy) > 0 {
		p.Wrap(OrderProxy, func(next http.RoundTripper) http.RoundTripper { return newProxyAuth(next, p.Transport, p.proxy) })
	}
	slices.SortStableFunc(p.layers, func(a, b layer) int { return a.order - b.order })
	rt := http.RoundTripper(p.Transport)
	for _, l := range slices.Backward(p.layers) {
		rt = l.wrap(rt)
	}
	p.Client.Transport = &opened{rt, p.Transport, p.schemes}
	return p.Client
}

// opened is a whole opener's transport: Client.CloseIdleConnections reaches
// the transports below the layers.
type opened struct {
	http.RoundTripper
	bottom  *http.Transport
	schemes map[string]http.RoundTripper
}

// CloseIdleConnections is what http.Client looks for.
func (o *opened) CloseIdleConnections() {
	o.bottom.CloseIdleConnections()
	for _, rt := range o.schemes {
		if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

// newTransport is net/http's, with our dialer below it and nothing unpacked: a
// body is what the server sent.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           dialer(&dial.Dialer{}),
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		DisableCompression:    true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

func dialer(d *dial.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return d.DialNet(ctx, "tcp:"+address)
	}
}

// TransportHandler puts another HTTP transport at the bottom: a clone of Base,
// with the proxy and the TLS configuration that it says. It comes before the
// handlers that change those.
type TransportHandler struct{ Base *http.Transport }

// Join clones; nil is the usual transport, without a proxy.
func (h TransportHandler) Join(p *Plan) {
	p.Transport = newTransport()
	if h.Base != nil {
		p.Transport = h.Base.Clone()
	}
}

// DialHandler opens the connections of HTTP with a Dialer: its Socket options,
// its Layers, its Proxy. TLS of https is the HTTPSHandler's.
type DialHandler struct{ Dialer *dial.Dialer }

// Join sets the dialer.
func (h DialHandler) Join(p *Plan) { p.Transport.DialContext = dialer(h.Dialer) }

// HTTPSHandler says what TLS is like: own roots in RootCAs, a client's
// certificate in Certificates. Where it does not say, MinVersion is TLS 1.2.
type HTTPSHandler struct{ TLS *tls.Config }

// Join sets a copy.
func (h HTTPSHandler) Join(p *Plan) {
	cfg := &tls.Config{}
	if h.TLS != nil {
		cfg = h.TLS.Clone()
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	p.Transport.TLSClientConfig = cfg
}
