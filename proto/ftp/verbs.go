package ftp

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A verb is a line of the table by which the session works.
type verb struct {
	when       state
	args       arguments
	after      string // the verb that must come right before
	secret     bool   // the argument is nobody else's business
	interrupts bool   // is heard while a job runs
	prompt     bool   // it waits for nothing, or says wire.ErrWait where session.prompt forbids it
	keeps      bool   // REST's offset outlives it: it comes between REST and the transfer
	has        func(s *session) bool
	do         func(s *session, ctx context.Context, arg string) error
	usage      string // of the argument
	rfc        string
	feature    func(s *session) string // the line of FEAT; nil: none
}

type state uint8

const (
	always state = iota
	loggedIn
)

type arguments uint8

const (
	none arguments = iota
	optional
	required
)

func is(text string) func(*session) string { return func(*session) string { return text } }

// has tells whether the session's files have a power; before the login nobody
// knows, and it counts as there.
func has[Power any](s *session) bool {
	if s.files == nil {
		return true
	}
	_, ok := s.files.(Power)
	return ok
}

func hasTLS(s *session) bool { return s.h.TLS != nil }

// verbTable is what the server knows.
func verbTable() map[string]*verb {
	t := map[string]*verb{
		"USER": {args: required, do: (*session).user_, usage: "name", rfc: "RFC 959 4.1.1"},
		"PASS": {args: optional, after: "PASS", secret: true, do: (*session).pass, usage: "password", rfc: "RFC 959 4.1.1"},
		"ACCT": {args: required, secret: true, do: (*session).acct, usage: "account", rfc: "RFC 959 4.1.1"},
		"REIN": {do: (*session).rein, rfc: "RFC 959 4.1.1"},
		"QUIT": {interrupts: true, do: (*session).quit_, rfc: "RFC 959 4.1.1"},
		"HOST": {args: required, do: (*session).host_, usage: "name", rfc: "RFC 7151", feature: is("HOST")},

		"CWD":  {when: loggedIn, args: required, do: (*session).cwd_, usage: "directory", rfc: "RFC 959 4.1.1"},
		"CDUP": {when: loggedIn, do: (*session).cdup, rfc: "RFC 959 4.1.1"},
		"PWD":  {when: loggedIn, prompt: true, do: (*session).pwd, rfc: "RFC 959 4.1.3"},

		"PORT": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).port, usage: "h1,h2,h3,h4,p1,p2", rfc: "RFC 959 4.1.2"},
		"PASV": {when: loggedIn, keeps: true, prompt: true, do: (*session).pasv, rfc: "RFC 959 4.1.2"},
		"EPRT": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).eprt, usage: "|family|host|port|", rfc: "RFC 2428 2", feature: is("EPRT")},
		"EPSV": {when: loggedIn, args: optional, keeps: true, prompt: true, do: (*session).epsv, usage: "[1 | 2 | ALL]", rfc: "RFC 2428 3", feature: is("EPSV")},
		"TYPE": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).type_, usage: "A | I | L 8", rfc: "RFC 959 4.1.2"},
		"STRU": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).stru, usage: "F", rfc: "RFC 959 4.1.2"},
		"MODE": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).mode, usage: "S", rfc: "RFC 959 4.1.2"},

		"RETR": {when: loggedIn, args: required, prompt: true, do: (*session).retr, usage: "file", rfc: "RFC 959 4.1.3"},
		"STOR": {when: loggedIn, args: required, has: has[Creator], do: (*session).stor, usage: "file", rfc: "RFC 959 4.1.3"},
		"STOU": {when: loggedIn, args: optional, has: has[Creator], do: (*session).stou, usage: "[file]", rfc: "RFC 959 4.1.3, 1123 4.1.2.9"},
		"APPE": {when: loggedIn, args: required, has: has[Creator], do: (*session).appe, usage: "file", rfc: "RFC 959 4.1.3"},
		"ALLO": {when: loggedIn, args: required, keeps: true, prompt: true, do: (*session).allo, usage: "bytes", rfc: "RFC 959 4.1.3"},
		"REST": {when: loggedIn, args: required, prompt: true, do: (*session).rest, usage: "offset", rfc: "RFC 3659 5", feature: is("REST STREAM")},
		"ABOR": {interrupts: true, do: (*session).abor, rfc: "RFC 959 4.1.3"},
		"STAT": {args: optional, interrupts: true, do: (*session).stat, usage: "[file]", rfc: "RFC 959 4.1.3"},

		"RNFR": {when: loggedIn, args: required, has: has[Renamer], do: (*session).rnfr, usage: "name", rfc: "RFC 959 4.1.3"},
		"RNTO": {when: loggedIn, args: required, after: "RNTO", has: has[Renamer], do: (*session).rnto, usage: "name", rfc: "RFC 959 4.1.3"},
		"DELE": {when: loggedIn, args: required, has: has[Remover], do: (*session).dele, usage: "file", rfc: "RFC 959 4.1.3"},
		"RMD":  {when: loggedIn, args: required, has: has[Remover], do: (*session).rmd, usage: "directory", rfc: "RFC 959 4.1.3"},
		"MKD":  {when: loggedIn, args: required, has: has[Mkdirer], do: (*session).mkd, usage: "directory", rfc: "RFC 959 4.1.3"},

		"LIST": {when: loggedIn, args: optional, do: (*session).list, usage: "[-alR] [file]", rfc: "RFC 959 4.1.3"},
		"NLST": {when: loggedIn, args: optional, do: (*session).nlst, usage: "[-aR] [file]", rfc: "RFC 959 4.1.3"},
		"MLST": {when: loggedIn, args: optional, do: (*session).mlst, usage: "[file]", rfc: "RFC 3659 7", feature: func(s *session) string { return "MLST " + s.facts.feature() }},
		"MLSD": {when: loggedIn, args: optional, do: (*session).mlsd, usage: "[directory]", rfc: "RFC 3659 7"},
		"SIZE": {when: loggedIn, args: required, keeps: true, do: (*session).size, usage: "file", rfc: "RFC 3659 4", feature: is("SIZE")},
		"MDTM": {when: loggedIn, args: required, keeps: true, do: (*session).mdtm, usage: "file", rfc: "RFC 3659 3", feature: is("MDTM")},
		"MFMT": {when: loggedIn, args: required, has: has[Chtimer], do: (*session).mfmt, usage: "YYYYMMDDHHMMSS file", rfc: "draft-somers-ftp-mfxx", feature: is("MFMT")},
		"HASH": {when: loggedIn, args: required, do: (*session).hash_, usage: "file", rfc: "draft-bryan-ftpext-hash", feature: (*session).hashFeature},

		"SITE": {args: required, do: (*session).site, usage: "HELP", rfc: "RFC 959 4.1.3"},
		"SYST": {do: (*session).syst, rfc: "RFC 959 4.1.3"},
		"HELP": {args: optional, do: (*session).help, usage: "[command]", rfc: "RFC 959 4.1.3"},
		"NOOP": {args: optional, keeps: true, prompt: true, do: (*session).noop, rfc: "RFC 959 4.1.3"},
		"FEAT": {keeps: true, do: (*session).feat, rfc: "RFC 2389 3"},
		"OPTS": {args: required, do: (*session).opts, usage: "command [options]", rfc: "RFC 2389 4"},
		"LANG": {args: optional, do: (*session).lang, usage: "[tag]", rfc: "RFC 2640 4", feature: is("LANG EN*")},

		"AUTH": {args: required, has: hasTLS, do: (*session).auth, usage: "TLS", rfc: "RFC 4217 4", feature: is("AUTH TLS")},
		"PBSZ": {args: required, has: hasTLS, do: (*session).pbsz_, usage: "0", rfc: "RFC 2228 3", feature: is("PBSZ")},
		"PROT": {args: required, has: hasTLS, do: (*session).prot, usage: "C | P", rfc: "RFC 2228 3", feature: is("PROT")},
		"CCC":  {has: hasTLS, do: (*session).ccc, rfc: "RFC 2228 3", feature: is("CCC")},
	}
	for old, now := range map[string]string{"XCWD": "CWD", "XCUP": "CDUP", "XPWD": "PWD", "XMKD": "MKD", "XRMD": "RMD"} {
		t[old] = t[now] // RFC 1123 section 4.1.3.1
	}
	return t
}

// knownVerb tells of commands that exist and that we have not: 502 and not 500.
func knownVerb(verb string) bool {
	return slices.Contains([]string{"SMNT", "ADAT", "CONF", "ENC", "MIC", "LPRT", "LPSV", "MFF", "MFCT", "COMB", "XSEM", "XSEN", "MAIL", "MLFL"}, verb)
}

// known lists the verbs that this session may use, in their order.
func (s *session) known() []string {
	var names []string
	for name, v := range s.h.verbs {
		if (v.has == nil || v.has(s)) && (name == "CWD" || !strings.HasPrefix(name, "X")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// help lists the commands, or says what one is (RFC 959 section 4.1.3).
func (s *session) help(_ context.Context, arg string) error {
	if arg == "" {
		lines := []string{"Commands:"}
		names := s.known()
		for part := range slices.Chunk(names, 10) {
			lines = append(lines, " "+strings.Join(part, " "))
		}
		s.reply(214, append(lines, "HELP COMMAND says more")...)
		return nil
	}
	name := strings.ToUpper(arg)
	v := s.h.verbs[name]
	if v == nil || v.has != nil && !v.has(s) {
		s.reply(502, "No such command")
		return nil
	}
	s.reply(214, strings.TrimSpace(fmt.Sprintf("Syntax: %s %s", name, v.usage))+" ("+v.rfc+")")
	return nil
}

// feat lists what goes beyond RFC 959 (RFC 2389 section 3).
func (s *session) feat(context.Context, string) error {
	lines := []string{"Features:"}
	for _, name := range s.known() {
		if v := s.h.verbs[name]; v.feature != nil {
			lines = append(lines, " "+v.feature(s))
		}
	}
	s.reply(211, append(lines, " TVFS", " UTF8", "End")...)
	return nil
}

// opts sets options (RFC 2389 section 4).
func (s *session) opts(_ context.Context, arg string) error {
	name, options, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(name) {
	case "UTF8": // draft-ietf-ftpext-utf-8-option
		switch strings.ToUpper(options) {
		case "", "ON":
			s.utf8 = true
		case "OFF":
			s.utf8 = false
		default:
			s.reply(501, "Usage: OPTS UTF8 ON | OFF")
			return nil
		}
		s.reply(200, "UTF8 is "+map[bool]string{true: "on", false: "off"}[s.utf8])
	case "MLST":
		s.facts = parseFactSet(options)
		s.reply(200, strings.TrimSpace("MLST OPTS "+s.facts.String()))
	case "HASH":
		if options != "" && newHash(strings.ToUpper(options)) == nil {
			s.reply(504, "Unknown algorithm")
			return nil
		}
		if options != "" {
			s.hash = strings.ToUpper(options)
		}
		s.reply(200, s.hash)
	default:
		s.reply(501, "This has no options")
	}
	return nil
}

// lang knows one language (RFC 2640 section 4.1).
func (s *session) lang(_ context.Context, arg string) error {
	if arg == "" || strings.EqualFold(arg, "en") || strings.HasPrefix(strings.ToLower(arg), "en-") {
		s.reply(200, "Replies are in English")
		return nil
	}
	s.reply(504, "Replies are in English only")
	return nil
}

func (s *session) noop(context.Context, string) error {
	s.reply(200, "OK")
	return nil
}

func (s *session) syst(context.Context, string) error {
	s.reply(215, "UNIX Type: L8")
	return nil
}

// site has nothing of its own.
func (s *session) site(_ context.Context, arg string) error {
	if strings.EqualFold(arg, "HELP") {
		s.reply(214, "SITE HELP")
		return nil
	}
	s.reply(504, "SITE knows HELP only")
	return nil
}
