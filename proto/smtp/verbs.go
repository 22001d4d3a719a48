package smtp

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A verb is a line of the table by which the session works: dispatch, HELP and
// what EHLO tells come from it.
type verb struct {
	greeted bool // not before EHLO
	args    arguments
	secret  bool // what stands behind the argument's first word is nobody else's business
	has     func(s *session) bool
	do      func(s *session, ctx context.Context, arg string) error
	usage   string // of the argument
	rfc     string
}

type arguments uint8

const (
	none arguments = iota
	optional
	required
)

func inLMTP(s *session) bool { return s.h.Kind == LMTP }

func inSMTP(s *session) bool { return s.h.Kind != LMTP }

// can tells whether the Backend has a power.
func can[Power any](s *session) bool {
	_, ok := s.h.Backend.(Power)
	return ok
}

// verbTable is what the server knows.
func verbTable() map[string]*verb {
	return map[string]*verb{
		"EHLO": {args: required, has: inSMTP, do: (*session).ehlo, usage: "name", rfc: "RFC 5321 4.1.1.1"},
		"HELO": {args: required, has: inSMTP, do: (*session).helo, usage: "name", rfc: "RFC 5321 4.1.1.1"},
		"LHLO": {args: required, has: inLMTP, do: (*session).ehlo, usage: "name", rfc: "RFC 2033 4.1"},

		"MAIL": {greeted: true, args: required, do: (*session).mail, usage: "FROM:<address> [parameters]", rfc: "RFC 5321 4.1.1.2"},
		"RCPT": {greeted: true, args: required, do: (*session).rcpt, usage: "TO:<address> [parameters]", rfc: "RFC 5321 4.1.1.3"},
		"DATA": {greeted: true, do: (*session).data, rfc: "RFC 5321 4.1.1.4"},
		"BDAT": {args: required, do: (*session).bdat, usage: "size [LAST]", rfc: "RFC 3030 2"},
		"RSET": {do: (*session).rset, rfc: "RFC 5321 4.1.1.5"},

		"VRFY": {greeted: true, args: required, do: (*session).vrfy, usage: "name", rfc: "RFC 5321 4.1.1.6"},
		"EXPN": {greeted: true, args: required, has: can[Expander], do: (*session).expn, usage: "list", rfc: "RFC 5321 4.1.1.7"},
		"ETRN": {greeted: true, args: required, has: can[Turner], do: (*session).etrn, usage: "name | @domain | #queue", rfc: "RFC 1985 5"},
		"HELP": {args: optional, do: (*session).help, usage: "[command]", rfc: "RFC 5321 4.1.1.8"},
		"NOOP": {args: optional, do: (*session).noop, rfc: "RFC 5321 4.1.1.9"},
		"QUIT": {do: (*session).quit, rfc: "RFC 5321 4.1.1.10"},

		"STARTTLS": {greeted: true, has: func(s *session) bool { return s.h.TLS != nil }, do: (*session).startTLS, rfc: "RFC 3207 4"},
		"AUTH":     {greeted: true, args: required, secret: true, has: func(s *session) bool { return s.h.Auth != nil }, do: (*session).auth, usage: "mechanism [response]", rfc: "RFC 4954 4"},
		"XCLIENT":  {args: required, has: (*session).trusted, do: (*session).xclient, usage: "attribute=value ...", rfc: "Postfix XCLIENT_README"},
	}
}

// knownVerb tells of commands that exist and that we have not: 502 and not 500.
func knownVerb(verb string) bool {
	return slices.Contains([]string{"SEND", "SOML", "SAML", "TURN", "ATRN", "BURL", "XFORWARD"}, verb)
}

// foreignVerb tells of other protocols' clients, who may have been lured here
// with a message in a request's body.
func foreignVerb(verb string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"}, verb)
}

// extended is the verb of an extension.
func extended(x Extension) *verb {
	return &verb{greeted: true, args: optional, rfc: x.Name, do: func(s *session, ctx context.Context, arg string) error {
		var r Reply
		peer := s.who()
		if err := s.aside(Prompt, func() error { r = x.Do(ctx, arg, peer); return nil }); err != nil {
			return err
		}
		s.say(r)
		return nil
	}}
}

// known lists the verbs that this session may use, in their order.
func (s *session) known() []string {
	var names []string
	for name, v := range s.h.verbs {
		if v.has == nil || v.has(s) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// help lists the commands, or says what one is.
func (s *session) help(_ context.Context, arg string) error {
	if arg == "" {
		lines := []string{"Commands:"}
		for part := range slices.Chunk(s.known(), 10) {
			lines = append(lines, strings.Join(part, " "))
		}
		s.reply(214, Status{2, 0, 0}, strings.Join(append(lines, "HELP COMMAND says more"), "\n"))
		return nil
	}
	name := strings.ToUpper(arg)
	v := s.h.verbs[name]
	if v == nil || v.has != nil && !v.has(s) {
		s.reply(504, Status{5, 5, 4}, "No such command")
		return nil
	}
	s.reply(214, Status{2, 0, 0}, strings.TrimSpace(fmt.Sprintf("Syntax: %s %s", name, v.usage))+" ("+v.rfc+")")
	return nil
}

func (s *session) helo(_ context.Context, arg string) error {
	s.abort()
	s.hello, s.esmtp = helloName(arg), false
	s.say(Reply{Code: 250, Text: s.h.host})
	return nil
}

// helloName is the name as it may stand in a header line.
func helloName(arg string) string {
	name, _, _ := strings.Cut(arg, " ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`()<>\";,`, r) {
			return '?'
		}
		return r
	}, name)
}

// ehlo tells what the server can do. All of it is computed: from the Backend,
// from the Handler, and from what the connection is.
func (s *session) ehlo(_ context.Context, arg string) error {
	s.abort()
	s.hello, s.esmtp = helloName(arg), true
	s.say(s.capabilities().Reply(s.h.host + " greets " + s.hello))
	return nil
}

func (s *session) capabilities() Capabilities {
	h := s.h
	c := Capabilities{
		{"PIPELINING", ""},
		{"SIZE", fmt.Sprint(h.limits.Message)},
	}
	add := func(when bool, name, param string) {
		if when {
			c = append(c, Capability{name, param})
		}
	}
	add(can[Verifier](s), "VRFY", "")
	add(can[Expander](s), "EXPN", "")
	add(can[Turner](s), "ETRN", "")
	add(h.TLS != nil && !s.secured(), "STARTTLS", "")
	if mechanisms := s.mechanisms(); len(mechanisms) > 0 {
		add(true, "AUTH", strings.Join(mechanisms, " "))
	}
	add(true, "ENHANCEDSTATUSCODES", "")
	add(true, "8BITMIME", "")
	add(!h.traits.NoUTF8, "SMTPUTF8", "")
	add(true, "CHUNKING", "")
	add(h.traits.Binary, "BINARYMIME", "")
	add(h.traits.DSN, "DSN", "")
	add(!h.traits.NoRequireTLS && s.secured(), "REQUIRETLS", "")
	add(true, "LIMITS", fmt.Sprintf("RCPTMAX=%d", h.limits.Recipients))
	add(s.trusted(), "XCLIENT", "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT")
	for _, x := range h.more {
		add(x.Name != "", x.Name, x.Param)
	}
	add(true, "HELP", "")
	return c
}

func (s *session) rset(context.Context, string) error {
	s.abort()
	s.reply(250, Status{2, 0, 0}, "OK")
	return nil
}

func (s *session) noop(context.Context, string) error {
	s.reply(250, Status{2, 0, 0}, "OK")
	return nil
}

func (s *session) quit(context.Context, string) error {
	s.abort()
	s.say(replyGoodbye)
	return io.EOF
}

// vrfy neither affirms nor denies where the Backend does not (RFC 5321 section
// 7.3).
func (s *session) vrfy(ctx context.Context, arg string) error {
	v, ok := s.h.Backend.(Verifier)
	if !ok {
		s.reply(252, Status{2, 5, 0}, "Cannot verify, but will take a message and try")
		return nil
	}
	found, err := s.names(func(peer Peer) ([]string, error) { return v.Verify(ctx, withoutUTF8(arg), peer) })
	switch {
	case err != nil:
		return err
	case len(found) == 1:
		s.reply(250, Status{2, 1, 5}, found[0])
	case len(found) > 1:
		s.reply(553, Status{5, 1, 4}, "Ambiguous; these may be meant:\n"+strings.Join(found, "\n"))
	}
	return nil
}

func (s *session) expn(ctx context.Context, arg string) error {
	x := s.h.Backend.(Expander)
	found, err := s.names(func(peer Peer) ([]string, error) { return x.Expand(ctx, withoutUTF8(arg), peer) })
	if err == nil && len(found) > 0 {
		s.reply(250, Status{2, 1, 5}, strings.Join(found, "\n"))
	}
	return err
}

// withoutUTF8 drops the parameter that VRFY and EXPN may have (RFC 6531 section
// 3.7.4.2).
func withoutUTF8(arg string) string {
	const param = " SMTPUTF8"
	if n := len(arg) - len(param); n > 0 && strings.EqualFold(arg[n:], param) {
		return arg[:n]
	}
	return arg
}

// names asks the Backend for names, and answers where there are none.
func (s *session) names(ask func(Peer) ([]string, error)) (found []string, err error) {
	peer := s.who()
	var refused error
	err = s.aside(Prompt, func() error { found, refused = ask(peer); return nil })
	if err != nil {
		return nil, err
	}
	if refused == nil && len(found) == 0 {
		refused = ErrNoMailbox
	}
	if refused != nil {
		s.refuse("VRFY", refused)
		return nil, nil
	}
	return found, nil
}

func (s *session) etrn(ctx context.Context, arg string) error {
	t := s.h.Backend.(Turner)
	if s.tx != nil { // RFC 1985 section 5
		return s.fault(replyNested)
	}
	peer := s.who()
	var refused error
	if err := s.aside(Prompt, func() error { refused = t.Turn(ctx, arg, peer); return nil }); err != nil {
		return err
	}
	if refused != nil {
		s.refuse("ETRN", refused)
		return nil
	}
	s.reply(250, Status{2, 0, 0}, "Queuing for "+strings.TrimLeft(arg, "@#")+" started")
	return nil
}
