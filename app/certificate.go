package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/farend-go/farend/socket"
)

// certificates is what TLS listeners show.
type certificates struct {
	config *tls.Config
	ca     []byte // PEM; nil: the certificate was given
}

// certify reads the certificate, or makes one and writes its authority's to a
// file.
func (a *App) certify() error {
	if a.cfg.Cert != "" {
		pair, err := tls.LoadX509KeyPair(a.cfg.Cert, a.cfg.Key)
		if err != nil {
			return badConfig("certificate %s, key %s: %w", a.cfg.Cert, a.cfg.Key, err)
		}
		a.certs = &certificates{config: serverTLS(pair)}
		return nil
	}
	certs, err := makeCertificates(time.Now())
	if err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	a.certs = certs
	path := a.cfg.CAOut
	switch {
	case path != "":
	case a.cfg.Data != "": // which is there: what is kept was opened before
		path = filepath.Join(a.cfg.Data, "ca.pem")
	default:
		dir, err := os.MkdirTemp("", "farend-")
		if err != nil {
			return fmt.Errorf("making a certificate: %w", err)
		}
		a.cleanups = append(a.cleanups, func() { _ = os.RemoveAll(dir) })
		path = filepath.Join(dir, "ca.pem")
	}
	if err := os.WriteFile(path, certs.ca, 0o644); err != nil { //nolint:gosec // it is for everybody to read
		return fmt.Errorf("writing the certificate authority: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("writing the certificate authority: %w", err)
	}
	a.ready.CAFile = path
	return nil
}

func serverTLS(pair tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// makeCertificates makes an authority whose key is forgotten, and a
// certificate of it for this host's names and loopback addresses.
func makeCertificates(now time.Time) (*certificates, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "farend, made at start"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 1, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name, err := socket.GetHostname(); err == nil && name != "" && !slices.Contains(leaf.DNSNames, name) {
		leaf.DNSNames = append(leaf.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	pair := tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key}
	return &certificates{serverTLS(pair), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})}, nil
}
