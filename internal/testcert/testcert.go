// Package testcert makes certificates for tests: one authority for each test
// binary, in memory. It is the heir of the certificate files in Python's
// test folder, which expire.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Pair is a certificate for localhost and the loopback addresses, and the pool
// that trusts it.
type Pair struct {
	Certificate tls.Certificate
	Roots       *x509.CertPool
	PEM         []byte // the certificate, for programs that take a file
}

// New makes a pair that is valid for an hour.
func New() (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	p := &Pair{Roots: x509.NewCertPool(), PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	p.Certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	p.Roots.AddCert(leaf)
	return p, nil
}

var shared = sync.OnceValues(New)

// Server is a configuration for a server of this test binary.
func Server(t TB) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{pair(t).Certificate}, MinVersion: tls.VersionTLS12}
}

// Client is a configuration that trusts Server's.
func Client(t TB) *tls.Config {
	t.Helper()
	return &tls.Config{RootCAs: pair(t).Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

func pair(t TB) *Pair {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}
