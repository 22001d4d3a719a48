package cli

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/proto/nntp"
)

// mailScript delivers a message with each exchange (RFC 5321), to the address
// that is the URL's path, or to bench@localhost; with -u after a login.
func mailScript(m *benchMessage) (*load.Script, error) {
	hello := "EHLO"
	if m.as == "lmtp" { // RFC 2033
		hello = "LHLO"
	}
	to := cmp.Or(strings.Trim(m.url.Path, "/"), "bench@localhost")
	if strings.ContainsAny(to, "<> ") {
		return nil, errors.New("the URL's path is the address to send to: smtp://host/ann@example.org")
	}
	s := &load.Script{Begin: []load.Step{{Hear: load.Reply("220")}, {Say: hello + " localhost\r\n", Hear: load.Reply("250")}}}
	if m.user != "" {
		s.Begin = append(s.Begin, load.Step{Say: "AUTH PLAIN " + plainLogin(m) + "\r\n", Hear: load.Reply("235")}) // RFC 4616
	}
	text := "From: <bench@localhost>\r\nTo: <" + to + ">\r\nSubject: from connection {n}\r\n\r\n"
	const line = "A line of a message that is only there to be counted and carried.....\r\n"
	for size := max(int(m.size)-len(text), 1); size > 0; size -= len(line) {
		text += line
	}
	s.Loop = []load.Step{
		{Say: "MAIL FROM:<bench@localhost>\r\n", Hear: load.Reply("250")},
		{Say: "RCPT TO:<" + to + ">\r\n", Hear: load.Reply("25")},
		{Say: "DATA\r\n", Hear: load.Reply("354")},
		{Say: text + ".\r\n", Hear: load.Reply("250")},
	}
	return s, nil
}

// dropScript logs in (RFC 1939), and looks with each exchange what is there.
// Without -u each connection is somebody else: a maildrop is locked.
func dropScript(m *benchMessage) (*load.Script, error) {
	ok := load.Status("+OK")
	return &load.Script{
		Begin: []load.Step{
			{Hear: ok}, {Say: "USER " + cmp.Or(m.user, "bench{n}") + "\r\n", Hear: ok}, {Say: "PASS " + cmp.Or(m.password, "bench") + "\r\n", Hear: ok},
		},
		Loop: []load.Step{{Say: "STAT\r\n", Hear: ok}, {Say: "UIDL\r\n", Hear: ok.Dotted()}},
	}, nil
}

// mailboxScript logs in (RFC 9051), selects the mailbox that is the URL's path,
// or INBOX, and looks with each exchange what is there.
func mailboxScript(m *benchMessage) (*load.Script, error) {
	ok := load.Tagged("a OK")
	box := cmp.Or(strings.Trim(m.url.Path, "/"), "INBOX")
	return &load.Script{
		Begin: []load.Step{
			{Hear: load.Status("* OK")},
			{Say: "a LOGIN " + quoted(cmp.Or(m.user, "bench")) + " " + quoted(cmp.Or(m.password, "bench")) + "\r\n", Hear: ok},
			{Say: "a SELECT " + quoted(box) + "\r\n", Hear: ok},
		},
		Loop: []load.Step{{Say: "a NOOP\r\n", Hear: ok}, {Say: "a UID SEARCH UNSEEN\r\n", Hear: ok}},
	}, nil
}

// newsScript reads news (RFC 3977): with each exchange it fetches the articles
// that the URL names, enters its group, or lists groups.
func newsScript(m *benchMessage) (*load.Script, error) {
	target, err := nntp.ParseTarget(m.url)
	if err != nil {
		return nil, errors.New("the URL's path is a group, or articles: nntp://host/local.test/1-10")
	}
	s := &load.Script{Begin: []load.Step{{Hear: load.Reply("20")}, {Say: "MODE READER\r\n", Hear: load.Reply("20")}}}
	if m.user != "" {
		s.Begin = append(s.Begin, load.Step{Say: "AUTHINFO USER " + m.user + "\r\n", Hear: load.Reply("381")},
			load.Step{Say: "AUTHINFO PASS " + m.password + "\r\n", Hear: load.Reply("281")}) // RFC 4643
	}
	enter := load.Step{Say: "GROUP " + target.Group + "\r\n", Hear: load.Reply("211")}
	article := func(name string) {
		s.Loop = append(s.Loop, load.Step{Say: "ARTICLE " + name + "\r\n", Hear: load.Status("220").Dotted()})
	}
	switch r := target.Range; {
	case target.ID != "":
		article(target.ID)
	case target.Group == "":
		s.Loop = []load.Step{{Say: "LIST ACTIVE " + target.Groups.String() + "\r\n", Hear: load.Status("215").Dotted()}}
	case r == nil:
		s.Loop = []load.Step{enter, {Say: "LISTGROUP\r\n", Hear: load.Status("211").Dotted()}}
	case r.Last < r.First || r.Last-r.First >= mostArticles:
		return nil, fmt.Errorf("the URL's articles are a range of %d at most: nntp://host/local.test/1-10", mostArticles)
	default:
		s.Begin = append(s.Begin, enter)
		for n := r.First; n <= r.Last; n++ {
			article(strconv.FormatInt(n, 10))
		}
	}
	return s, nil
}

// mostArticles is how many articles one exchange fetches at most.
const mostArticles = 1000

// quoted is a string of IMAP, RFC 9051 section 4.3.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// plainLogin is the response of PLAIN.
func plainLogin(m *benchMessage) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + m.user + "\x00" + m.password))
}
