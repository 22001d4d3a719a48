package pop3

import (
	"context"
	"slices"
	"strings"
)

// A verb is a line of the table by which the session works.
type verb struct {
	when   state
	args   arguments
	secret func(arg string) int // where in the argument a secret begins; nil: nowhere
	has    func(s *session) bool
	do     func(s *session, ctx context.Context, arg string) error
	usage  string // of the argument
	rfc    string
	capa   func(s *session) string // the line of CAPA; nil: none
}

type state uint8

const (
	always state = iota
	authorization
	transaction
)

type arguments uint8

const (
	none arguments = iota
	optional
	required
)

func is(text string) func(*session) string { return func(*session) string { return text } }

// allSecret and afterWord say where a secret begins.
func allSecret(string) int { return 0 }

func afterWord(arg string) int {
	word, _, more := strings.Cut(arg, " ")
	if !more {
		return len(arg)
	}
	return len(word) + 1
}

func hasStamp(s *session) bool { return s.stamp != "" }

func hasPlain(s *session) bool { return s.h.Auth != nil && s.h.Auth.PlainAllowed(s.channel()) }

func hasAuth(s *session) bool { return s.h.Auth != nil }

// hasSTLS: the command is there until TLS is (RFC 2595 section 4).
func hasSTLS(s *session) bool {
	_, secured := s.talk.TLS()
	return s.h.TLS != nil && !secured
}

// verbTable is what the server knows.
func verbTable() map[string]*verb {
	return map[string]*verb{
		"USER": {when: authorization, args: required, do: (*session).user_, usage: "name", rfc: "RFC 1939 7", capa: func(s *session) string {
			if !hasPlain(s) {
				return ""
			}
			return "USER"
		}},
		"PASS": {when: authorization, args: required, secret: allSecret, do: (*session).pass, usage: "password", rfc: "RFC 1939 7"},
		"APOP": {when: authorization, args: required, secret: afterWord, has: hasStamp, do: (*session).apop, usage: "name digest", rfc: "RFC 1939 7"},
		"AUTH": {when: authorization, args: optional, secret: afterWord, has: hasAuth, do: (*session).auth_, usage: "mechanism [initial-response]", rfc: "RFC 5034 4", capa: (*session).saslCapa},
		"STLS": {when: authorization, has: hasSTLS, do: (*session).stls, rfc: "RFC 2595 4", capa: is("STLS")},
		"UTF8": {when: authorization, do: (*session).utf8_, rfc: "RFC 6856 2", capa: is("UTF8 USER")},
		"LANG": {args: optional, do: (*session).lang, usage: "[range]", rfc: "RFC 6856 3", capa: is("LANG")},
		"CAPA": {do: (*session).capa, rfc: "RFC 2449 5"},
		"QUIT": {do: (*session).quit, rfc: "RFC 1939 4, 6"},

		"STAT": {when: transaction, do: (*session).stat, rfc: "RFC 1939 5"},
		"LIST": {when: transaction, args: optional, do: (*session).list, usage: "[msg]", rfc: "RFC 1939 5"},
		"UIDL": {when: transaction, args: optional, do: (*session).uidl, usage: "[msg]", rfc: "RFC 1939 7", capa: is("UIDL")},
		"RETR": {when: transaction, args: required, do: (*session).retr, usage: "msg", rfc: "RFC 1939 5"},
		"TOP":  {when: transaction, args: required, do: (*session).top, usage: "msg n", rfc: "RFC 1939 7", capa: is("TOP")},
		"DELE": {when: transaction, args: required, do: (*session).dele, usage: "msg", rfc: "RFC 1939 5"},
		"NOOP": {when: transaction, do: (*session).noop, rfc: "RFC 1939 5"},
		"RSET": {when: transaction, do: (*session).rset, rfc: "RFC 1939 5"},
	}
}

// capa says what there is on this connection (RFC 2449 section 5).
func (s *session) capa(context.Context, string) error {
	lines := []string{"RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", s.h.expireCapa()}
	for _, v := range s.h.verbs {
		if v.capa != nil && (v.has == nil || v.has(s)) {
			lines = append(lines, v.capa(s))
		}
	}
	if s.h.LoginDelay > 0 {
		lines = append(lines, loginDelayCapa(s.h.LoginDelay))
	}
	switch s.h.Implementation {
	case "":
		lines = append(lines, "IMPLEMENTATION farend")
	case "-":
	default:
		lines = append(lines, "IMPLEMENTATION "+s.h.Implementation)
	}
	slices.Sort(lines)
	s.ok("Capability list follows")
	for _, line := range lines {
		if line == "" {
			continue
		}
		if err := s.talk.W.LineString(line); err != nil {
			return err
		}
	}
	return s.talk.W.LineString(".")
}

// lang knows one language (RFC 6856 section 3).
func (s *session) lang(_ context.Context, arg string) error {
	tag := strings.ToLower(arg)
	switch {
	case arg == "":
		s.ok("Language listing follows")
		for _, line := range []string{"en English", "."} {
			if err := s.talk.W.LineString(line); err != nil {
				return err
			}
		}
	case tag == "en" || tag == "*" || strings.HasPrefix(tag, "en-"):
		s.ok("en Replies are in English")
	default:
		s.no("", "Replies are in English only")
	}
	return nil
}

// utf8_ lets messages with UTF-8 in their headers through (RFC 6856 section
// 2.1).
func (s *session) utf8_(context.Context, string) error {
	s.utf8 = true
	s.ok("UTF-8 it is")
	return nil
}

func (s *session) noop(context.Context, string) error {
	s.ok("")
	return nil
}
