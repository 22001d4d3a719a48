package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/socket"
)

// ProxyScheme is how a Proxy is spoken to.
type ProxyScheme string

// The schemes of proxies.
const (
	HTTPProxy    ProxyScheme = "http"    // CONNECT (RFC 9110 section 9.3.6)
	HTTPSProxy   ProxyScheme = "https"   // CONNECT, over TLS to the proxy
	SOCKS5Proxy  ProxyScheme = "socks5"  // RFC 1928; names are looked up here
	SOCKS5HProxy ProxyScheme = "socks5h" // RFC 1928; the proxy looks names up
)

// proxyPorts are the ports where a URL names none; their keys are all schemes.
var proxyPorts = map[ProxyScheme]string{
	HTTPProxy: "80", HTTPSProxy: "443", SOCKS5Proxy: "1080", SOCKS5HProxy: "1080",
}

// A Proxy opens streams on behalf of a Dialer. It is not changed while in use;
// any number of goroutines may share it.
type Proxy struct {
	Scheme ProxyScheme
	Host   string // of the proxy, without brackets
	Port   string // "" is the scheme's usual one: 80, 443 or 1080
	// User and Password are for Basic (RFC 7617) at an HTTP proxy and for
	// RFC 1929 at a SOCKS proxy. They are offered only where User is not empty.
	User, Password string
}

// ErrProxyAuth is a proxy that wants a user and a password, or others.
var ErrProxyAuth = errors.New("the proxy refuses the user or the password")

// ParseProxy reads scheme://[user:password@]host[:port], with the schemes http,
// https, socks5 and socks5h; without a scheme it is http, as curl has it. The
// error is one line and never holds the password.
func ParseProxy(s string) (*Proxy, error) {
	full := s
	if !strings.Contains(s, "://") {
		full = "http://" + s
	}
	u, err := url.Parse(full)
	if err != nil {
		return nil, errors.New("proxy: the URL cannot be read (want scheme://[user:password@]host[:port])")
	}
	p := &Proxy{Scheme: ProxyScheme(strings.ToLower(u.Scheme)), Host: u.Hostname(), Port: u.Port(), User: u.User.Username()}
	p.Password, _ = u.User.Password()
	if err = p.check(); err == nil {
		err = socket.CheckURLHost(p.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("proxy %q: %w", u.Redacted(), err)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("proxy %q: a proxy has no path", u.Redacted())
	}
	return p, nil
}

func (p *Proxy) check() error {
	if _, ok := proxyPorts[p.Scheme]; !ok {
		return errors.New("the scheme is http, https, socks5 or socks5h")
	}
	if p.Host == "" {
		return errors.New("no host")
	}
	if _, err := netip.ParseAddr(p.Host); err != nil && strings.ContainsAny(p.Host, ":%/?#@[]<>\"\\ ") {
		return errors.New("the host is neither a name nor an address")
	}
	if p.Port != "" {
		if n, err := strconv.ParseUint(p.Port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port %s: %w", p.Port, socket.ErrPortRange)
		}
	}
	if p.Scheme == SOCKS5Proxy || p.Scheme == SOCKS5HProxy {
		if len(p.User) > 255 || len(p.Password) > 255 {
			return errors.New("user and password have at most 255 bytes each (RFC 1929)")
		}
	} else if strings.Contains(p.User, ":") {
		return errors.New("a user of Basic holds no colon (RFC 7617)")
	}
	return nil
}

// String is the proxy as a URL, without user and password.
func (p *Proxy) String() string {
	return string(p.Scheme) + "://" + net.JoinHostPort(p.Host, p.port())
}

func (p *Proxy) port() string {
	if p.Port != "" {
		return p.Port
	}
	return proxyPorts[p.Scheme]
}

// ProxyError says which proxy did not carry a stream, and why.
type ProxyError struct {
	Proxy string // a URL without user and password
	Err   error
}

func (e *ProxyError) Error() string { return "by " + e.Proxy + ": " + e.Err.Error() }

// Unwrap is the error inside: ErrProxyAuth, a SOCKSReply, an HTTPReply, or what
// went wrong on the way to the proxy.
func (e *ProxyError) Unwrap() error { return e.Err }

// tunnel opens a stream to e through the proxy, with what d says of sockets and
// certificates. No Layers are around it yet.
func (p *Proxy) tunnel(ctx context.Context, d *Dialer, e Endpoint) (net.Conn, error) {
	nc, err := p.try(ctx, d, e)
	if err != nil {
		return nil, &ProxyError{p.String(), err}
	}
	return nc, nil
}

func (p *Proxy) try(ctx context.Context, d *Dialer, e Endpoint) (net.Conn, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if e.Host == "" {
		return nil, errors.New("the endpoint names no host")
	}
	port, err := portNumber(e.Port)
	if err != nil {
		return nil, err
	}
	if p.Scheme != SOCKS5Proxy {
		return p.through(ctx, d, e.Host, port)
	}
	all, err := socket.Pair(e.Host, int(port)).Resolve(ctx, socket.AF_UNSPEC, socket.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, a := range all {
		in, ok := a.(socket.InetAddr)
		if !ok {
			continue
		}
		nc, err := p.through(ctx, d, in.AddrPort.Addr().String(), port)
		var reply SOCKSReply
		if err == nil || !errors.As(err, &reply) {
			return nc, err // another address would not help
		}
		if !slices.Contains(errs, err) {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		errs = append(errs, errors.New("no address found"))
	}
	return nil, errors.Join(errs...)
}

// through asks the proxy for one stream.
func (p *Proxy) through(ctx context.Context, d *Dialer, host string, port uint16) (net.Conn, error) {
	nc, err := p.reach(ctx, d)
	if err != nil {
		return nil, err
	}
	err = conv.New(nc, conv.Options{}).Within(ctx, func() error {
		if p.Scheme == SOCKS5Proxy || p.Scheme == SOCKS5HProxy {
			return socksConnect(nc, p.User, p.Password, host, port)
		}
		return httpConnect(nc, p.User, p.Password, net.JoinHostPort(host, strconv.Itoa(int(port))))
	})
	if err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return nc, nil
}

// reach connects to the proxy itself.
func (p *Proxy) reach(ctx context.Context, d *Dialer) (net.Conn, error) {
	bare := Dialer{Socket: d.Socket}
	scheme := TCP
	if p.Scheme == HTTPSProxy {
		scheme = TLS
		if d.TLS != nil { // the name in it, and the protocols, are those of the far end
			bare.TLS = d.TLS.Clone()
			bare.TLS.ServerName, bare.TLS.NextProtos = "", nil
		}
	}
	nc, err := bare.DialNet(ctx, Endpoint{Scheme: scheme, Host: p.Host, Port: p.port()}.String())
	if e, ok := errors.AsType[*Error](err); ok {
		err = e.Err // the endpoint is in our own error
	}
	return nc, err
}

// portNumber is a port in digits or the name of a service, as a number.
func portNumber(port string) (uint16, error) {
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		return uint16(n), nil
	}
	n, err := socket.GetServByName(port, "tcp")
	return uint16(n), err
}
