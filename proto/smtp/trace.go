package smtp

import (
	"crypto/tls"
	"strconv"
	"time"
)

// appendTrace writes what goes in front of a message: Return-Path, where this
// is its destination, and Received (RFC 5321 section 4.4).
func (s *session) appendTrace(b []byte) []byte {
	p := s.who()
	if s.h.Kind != Submission && !s.h.Relay {
		b = append(s.from.Mailbox.appendPath(append(b, "Return-Path: "...)), "\r\n"...)
	}
	b = append(append(b, "Received: from "...), p.Hello...)
	if p.Addr.IsValid() {
		b = append(b, " ("...)
		if p.Name != "" {
			b = append(append(b, helloName(p.Name)...), ' ')
		}
		b = append(b, '[')
		if p.Addr.Addr().Is6() {
			b = append(b, "IPv6:"...)
		}
		b = append(p.Addr.Addr().WithZone("").AppendTo(b), "])"...)
	}
	b = append(append(b, "\r\n\tby "...), s.h.host...)
	b = append(append(b, " with "...), p.Protocol(s.from.UTF8)...)
	if p.TLS != nil {
		b = append(append(b, " ("...), tls.VersionName(p.TLS.Version)...)
		b = append(append(append(b, ' '), tls.CipherSuiteName(p.TLS.CipherSuite)...), ')')
	}
	now := time.Now()
	b = strconv.AppendInt(append(b, " id "...), now.UnixMicro(), 36)
	b = strconv.AppendUint(append(b, '.'), s.talk.ID(), 36)
	if len(s.to) == 1 { // more would tell each of the others
		b = s.to[0].Mailbox.appendPath(append(b, "\r\n\tfor "...))
	}
	b = now.AppendFormat(append(b, "; "...), time.RFC1123Z)
	return append(b, "\r\n"...)
}
