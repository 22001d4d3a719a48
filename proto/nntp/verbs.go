package nntp

import (
	"context"
	"io"
	"slices"
	"strings"
)

// A verb is a line of the table by which the session works.
type verb struct {
	name     string
	min, max int // arguments
	need     need
	secret   bool // the arguments are
	takes    bool // an article follows without being asked for
	variants bool // the first argument says which verb is meant
	usage    string
	rfc      string
	do       func(s *session, ctx context.Context, args []string) error
}

// need is what a client must be allowed to do.
type need uint8

const (
	nothing need = iota
	reader
	poster
	feeder
)

const many = 1 << 20

// verbTable is what the server knows.
func verbTable() map[string]*verb {
	table := map[string]*verb{}
	for _, v := range append(append(sessionVerbs(), readerVerbs()...), append(listVerbs(), takingVerbs()...)...) {
		table[v.name] = &v
	}
	return table
}

// Verbs are the commands that the server knows, in upper case.
func Verbs() []string {
	var names []string
	for name := range verbTable() {
		if !strings.Contains(name, " ") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func sessionVerbs() []verb {
	return []verb{
		{name: "CAPABILITIES", max: 1, usage: "[keyword]", rfc: "RFC 3977 5.2", do: (*session).capabilities},
		{name: "MODE", min: 1, variants: true, usage: "READER|STREAM", rfc: "RFC 3977 5.3"},
		{name: "MODE READER", rfc: "RFC 3977 5.3", do: (*session).modeReader},
		{name: "MODE STREAM", need: feeder, rfc: "RFC 4644 2.3", do: (*session).modeStream},
		{name: "QUIT", rfc: "RFC 3977 5.4", do: (*session).quit},
		{name: "DATE", rfc: "RFC 3977 7.1", do: (*session).date},
		{name: "HELP", rfc: "RFC 3977 7.2", do: (*session).help},
		{name: "STARTTLS", rfc: "RFC 4642 2.2", do: (*session).startTLS},
		{name: "COMPRESS", min: 1, max: 1, usage: "DEFLATE", rfc: "RFC 8054 2.2", do: (*session).compress},
		{name: "AUTHINFO", min: 1, variants: true, usage: "USER|PASS|SASL", rfc: "RFC 4643 2"},
		{name: "AUTHINFO USER", min: 1, max: 1, usage: "name", rfc: "RFC 4643 2.3", do: (*session).authUser},
		{name: "AUTHINFO PASS", min: 1, max: 1, secret: true, usage: "password", rfc: "RFC 4643 2.3", do: (*session).authPass},
		{name: "AUTHINFO SASL", min: 1, max: 1, secret: true, usage: "mechanism [initial-response]", rfc: "RFC 4643 2.4", do: (*session).authSASL},
	}
}

func readerVerbs() []verb {
	return []verb{
		{name: "GROUP", need: reader, min: 1, max: 1, usage: "newsgroup", rfc: "RFC 3977 6.1.1", do: (*session).group_},
		{name: "LISTGROUP", need: reader, max: 2, usage: "[newsgroup [range]]", rfc: "RFC 3977 6.1.2", do: (*session).listGroup},
		{name: "LAST", need: reader, rfc: "RFC 3977 6.1.3", do: (*session).last},
		{name: "NEXT", need: reader, rfc: "RFC 3977 6.1.4", do: (*session).next},
		{name: "ARTICLE", need: reader, max: 1, usage: "[number|<id>]", rfc: "RFC 3977 6.2.1", do: (*session).article},
		{name: "HEAD", need: reader, max: 1, usage: "[number|<id>]", rfc: "RFC 3977 6.2.2", do: (*session).head},
		{name: "BODY", need: reader, max: 1, usage: "[number|<id>]", rfc: "RFC 3977 6.2.3", do: (*session).body},
		{name: "STAT", need: reader, max: 1, usage: "[number|<id>]", rfc: "RFC 3977 6.2.4", do: (*session).stat},
		{name: "OVER", need: reader, max: 1, usage: "[range|<id>]", rfc: "RFC 3977 8.3", do: (*session).over},
		{name: "XOVER", need: reader, max: 1, usage: "[range]", rfc: "RFC 2980 2.8", do: (*session).xover},
		{name: "HDR", need: reader, min: 1, max: 2, usage: "field [range|<id>]", rfc: "RFC 3977 8.5", do: (*session).hdr},
		{name: "XHDR", need: reader, min: 1, max: 2, usage: "field [range|<id>]", rfc: "RFC 2980 2.6", do: (*session).xhdr},
		{name: "XPAT", need: reader, min: 3, max: many, usage: "field range|<id> pattern", rfc: "RFC 2980 2.9", do: (*session).xpat},
		{name: "NEWGROUPS", need: reader, min: 2, max: 4, usage: "date time [GMT]", rfc: "RFC 3977 7.3", do: (*session).newGroups},
		{name: "NEWNEWS", need: reader, min: 3, max: 5, usage: "wildmat date time [GMT]", rfc: "RFC 3977 7.4", do: (*session).newNews},
	}
}

func takingVerbs() []verb {
	return []verb{
		{name: "POST", need: poster, rfc: "RFC 3977 6.3.1", do: (*session).post},
		{name: "IHAVE", need: feeder, min: 1, max: 1, usage: "<id>", rfc: "RFC 3977 6.3.2", do: (*session).ihave},
		{name: "CHECK", need: feeder, min: 1, max: 1, usage: "<id>", rfc: "RFC 4644 2.4", do: (*session).check},
		{name: "TAKETHIS", need: feeder, takes: true, max: many, usage: "<id>", rfc: "RFC 4644 2.5", do: (*session).takeThis},
	}
}

// capabilities says what there is on this connection (RFC 3977 section 5.2).
func (s *session) capabilities(_ context.Context, args []string) error {
	if len(args) > 0 && !isKeyword([]byte(args[0])) {
		s.say(501, "That is no keyword")
		return nil
	}
	s.say(101, "Capability list follows")
	for _, line := range s.offer().Lines() {
		if err := s.talk.W.LineString(line); err != nil {
			return err
		}
	}
	return s.dot()
}

func (s *session) offer() Capabilities {
	c := Capabilities{"VERSION": {"2"}}
	switch s.h.Implementation {
	case "":
		c["IMPLEMENTATION"] = []string{"farend"}
	case "-":
	default:
		c["IMPLEMENTATION"] = []string{s.h.Implementation}
	}
	if s.rights.Read {
		c["READER"], c["HDR"], c["XPAT"], c["OVER"] = nil, nil, nil, []string{"MSGID"}
		c["LIST"] = s.variants()
		if _, ok := s.h.Backend.(Arrivals); ok {
			c["NEWNEWS"] = nil
		}
	}
	if s.mayPost() {
		c["POST"] = nil
	}
	if s.rights.Feed {
		c["IHAVE"], c["STREAMING"] = nil, nil
	}
	if s.hasTLS() {
		c["STARTTLS"] = nil
	}
	if !s.compressed {
		c["COMPRESS"] = []string{"DEFLATE"}
	}
	s.offerLogin(c)
	return c
}

// variants are those of LIST.
func (s *session) variants() []string {
	all := []string{"ACTIVE", "ACTIVE.TIMES", "COUNTS", "HEADERS", "NEWSGROUPS", "OVERVIEW.FMT"}
	for name := range s.h.Lists {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// modeReader changes nothing: this server is one for readers and for transfer at
// once (RFC 3977 section 5.3).
func (s *session) modeReader(context.Context, []string) error {
	if s.compressed { // RFC 8054 section 2.2.2
		s.say(502, "Not under compression")
		return nil
	}
	s.greet(s.h.welcome())
	return nil
}

func (s *session) modeStream(context.Context, []string) error {
	s.say(203, "Streaming permitted")
	return nil
}

func (s *session) quit(context.Context, []string) error {
	s.say(205, "Goodbye")
	return io.EOF
}

// date says what the time is here (RFC 3977 section 7.1).
func (s *session) date(context.Context, []string) error {
	s.say(111, s.h.time().UTC().Format("20060102150405"))
	return nil
}

func (s *session) help(context.Context, []string) error {
	s.say(100, "Help text follows")
	var lines []string
	for _, v := range s.h.verbs {
		if v.do != nil {
			lines = append(lines, strings.TrimSpace("  "+v.name+" "+v.usage)+"  ("+v.rfc+")")
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		if err := s.talk.W.LineString(line); err != nil {
			return err
		}
	}
	return s.dot()
}
