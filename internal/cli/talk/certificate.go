package talk

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// DescribeTLS tells in a line what a handshake came to: version, cipher, for
// whom the peer's certificate is, how long it is good, and whether its chain
// is. roots are those to check against; nil: the system's.
func DescribeTLS(state tls.ConnectionState, roots *x509.CertPool, now time.Time) string {
	line := tls.VersionName(state.Version) + "  " + cipher(state.CipherSuite)
	if len(state.PeerCertificates) == 0 {
		return line
	}
	leaf := state.PeerCertificates[0]
	return fmt.Sprintf("%s  %s, %s, %s", line, subject(leaf, state.ServerName), lifetime(leaf, now), chain(state, roots, now))
}

// cipher is a suite's name without what every suite shares: AES_128_GCM.
func cipher(suite uint16) string {
	name := strings.TrimPrefix(tls.CipherSuiteName(suite), "TLS_")
	if _, after, ok := strings.Cut(name, "_WITH_"); ok {
		name = after
	}
	if i := strings.LastIndex(name, "_SHA"); i >= 0 {
		name = name[:i]
	}
	return name
}

// subject is whom a certificate is for: the name that was asked for if it is
// good for it.
func subject(leaf *x509.Certificate, asked string) string {
	switch {
	case asked != "" && leaf.VerifyHostname(asked) == nil:
		return asked
	case len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0]
	case leaf.Subject.CommonName != "":
		return leaf.Subject.CommonName
	case len(leaf.IPAddresses) > 0:
		return leaf.IPAddresses[0].String()
	}
	return "nobody named"
}

func lifetime(leaf *x509.Certificate, now time.Time) string {
	left := leaf.NotAfter.Sub(now)
	switch {
	case now.Before(leaf.NotBefore):
		return "not valid before " + leaf.NotBefore.UTC().Format("2006-01-02 15:04 MST")
	case left < 0:
		return "expired " + span(-left) + " ago"
	}
	return "expires in " + span(left)
}

func span(d time.Duration) string {
	n, unit := int(d/(24*time.Hour)), "day"
	switch {
	case d < time.Hour:
		n, unit = int(d/time.Minute), "minute"
	case d < 48*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// chain checks what the handshake may have been told not to.
func chain(state tls.ConnectionState, roots *x509.CertPool, now time.Time) string {
	if len(state.VerifiedChains) > 0 {
		return "chain ok"
	}
	o := x509.VerifyOptions{DNSName: state.ServerName, Roots: roots, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := state.PeerCertificates[0].Verify(o); err != nil {
		return "NOT VERIFIED: " + strings.TrimPrefix(err.Error(), "x509: ")
	}
	return "chain ok"
}
