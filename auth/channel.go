package auth

import (
	"crypto/tls"
	"crypto/x509"
	"net"

	"github.com/xdg-go/scram"
)

// Channel is what mechanisms must know of the connection. The zero Channel is
// one in clear with somebody unknown.
type Channel struct {
	TLS  *tls.ConnectionState // nil in clear
	Peer net.Addr             // the other end; nil: unknown

	// Certificate is the one with which a server shook hands; nil: it does not
	// offer tls-server-end-point. A client leaves it nil. [ServerCertificate]
	// finds it.
	Certificate *x509.Certificate

	// Host and Port are how a client knows the server, for OAUTHBEARER; "" and
	// 0: it does not say.
	Host string
	Port int
}

// Private tells whether a plain password may go over the channel: there is
// TLS, or it does not leave this machine.
func (c Channel) Private() bool {
	if c.TLS != nil {
		return true
	}
	switch a := c.Peer.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return c.Peer != nil && c.Peer.Network() == "pipe"
}

// ServerCertificate is the certificate with which a server of that
// configuration shakes hands, for Channel; nil where that is decided for each
// connection.
func ServerCertificate(cfg *tls.Config) *x509.Certificate {
	if cfg == nil || cfg.GetConfigForClient != nil || cfg.GetCertificate != nil || len(cfg.Certificates) != 1 {
		return nil
	}
	c := cfg.Certificates[0]
	if c.Leaf != nil || len(c.Certificate) == 0 {
		return c.Leaf
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// binding is the channel binding of that type; ok is false where there is
// none. tls-exporter wants TLS 1.3, below which RFC 9266 has another default
// (section 3) and a client that resumes could be held to two channels.
func (c Channel) binding(kind scram.ChannelBindingType) (b scram.ChannelBinding, ok bool) {
	if c.TLS == nil {
		return b, false
	}
	var err error
	switch kind {
	case scram.ChannelBindingTLSExporter:
		if c.TLS.Version < tls.VersionTLS13 {
			return b, false
		}
		b, err = scram.NewTLSExporterBinding(c.TLS)
	case scram.ChannelBindingTLSServerEndpoint:
		state := c.TLS
		if c.Certificate != nil { // we are the server: the binding is our own certificate's
			state = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Certificate}}
		}
		b, err = scram.NewTLSServerEndpointBinding(state)
	default:
		return b, false
	}
	return b, err == nil
}

// bindings are those that the channel has, the better one first.
func (c Channel) bindings(server bool) []scram.ChannelBinding {
	var all []scram.ChannelBinding
	for _, kind := range []scram.ChannelBindingType{scram.ChannelBindingTLSExporter, scram.ChannelBindingTLSServerEndpoint} {
		if server && kind == scram.ChannelBindingTLSServerEndpoint && c.Certificate == nil {
			continue // the peer's certificate would be the client's
		}
		if b, ok := c.binding(kind); ok {
			all = append(all, b)
		}
	}
	return all
}
