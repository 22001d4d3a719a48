package imap

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A verb is a line of the table by which the session works.
type verb struct {
	when    state
	args    arguments
	uid     do   // "UID VERB", where that is something else than VERB
	onlyUID bool // there is no form without UID
	numbers bool // it has sequence numbers, so that none may change meanwhile (RFC 9051 section 7.5.1)
	secret  bool // the arguments are nobody else's business
	has     func(s *session) bool
	do      do
	then    func(s *session, ctx context.Context) error // behind the OK
	usage   string                                      // of the arguments
	rfc     string
	caps    string // capabilities that stand for it, once logged in
}

// do carries a command out. The zero Status is OK; an error that has a Status
// is told.
type do func(s *session, ctx context.Context, c Command) (Status, error)

type state uint8

const (
	always state = iota
	clear        // not logged in
	loggedIn
	inMailbox
)

type arguments uint8

const (
	none arguments = iota
	some
	maybe
)

// verbTable is what the server knows.
func verbTable() map[string]*verb {
	return map[string]*verb{
		"CAPABILITY": {do: (*session).capability_, rfc: "RFC 9051 6.1.1"},
		"NOOP":       {do: (*session).noop, rfc: "RFC 9051 6.1.2"},
		"LOGOUT":     {do: (*session).logout, rfc: "RFC 9051 6.1.3"},
		"ID":         {args: some, do: (*session).id, usage: "NIL | (field value ...)", rfc: "RFC 2971 3.1"},

		"STARTTLS":     {when: clear, has: (*session).mayTLS, do: (*session).startTLS, then: (*session).handshake, rfc: "RFC 9051 6.2.1"},
		"AUTHENTICATE": {when: clear, args: some, secret: true, do: (*session).authenticate, usage: "mechanism [initial-response]", rfc: "RFC 9051 6.2.2, 4959 3"},
		"LOGIN":        {when: clear, args: some, secret: true, do: (*session).login, usage: "user password", rfc: "RFC 9051 6.2.3"},

		"ENABLE":      {when: loggedIn, args: some, do: (*session).enable, usage: "capability ...", rfc: "RFC 9051 6.3.1", caps: "ENABLE UTF8=ACCEPT"},
		"SELECT":      {when: loggedIn, args: some, do: (*session).select_, usage: "mailbox [(CONDSTORE | QRESYNC ...)]", rfc: "RFC 9051 6.3.2, 7162 3.1.8", caps: "CONDSTORE QRESYNC"},
		"EXAMINE":     {when: loggedIn, args: some, do: (*session).examine, usage: "mailbox [(CONDSTORE | QRESYNC ...)]", rfc: "RFC 9051 6.3.3"},
		"CREATE":      {when: loggedIn, args: some, do: (*session).create, usage: "mailbox [(USE (use ...))]", rfc: "RFC 9051 6.3.4, 6154 3", caps: "CREATE-SPECIAL-USE"},
		"DELETE":      {when: loggedIn, args: some, do: (*session).delete, usage: "mailbox", rfc: "RFC 9051 6.3.5"},
		"RENAME":      {when: loggedIn, args: some, do: (*session).rename, usage: "from to", rfc: "RFC 9051 6.3.6"},
		"SUBSCRIBE":   {when: loggedIn, args: some, do: (*session).subscribe, usage: "mailbox", rfc: "RFC 9051 6.3.7"},
		"UNSUBSCRIBE": {when: loggedIn, args: some, do: (*session).unsubscribe, usage: "mailbox", rfc: "RFC 9051 6.3.8"},
		"LIST":        {when: loggedIn, args: some, do: (*session).list, usage: "[(option ...)] reference pattern | (pattern ...) [RETURN (option ...)]", rfc: "RFC 9051 6.3.9, 5258 3", caps: "CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE"},
		"LSUB":        {when: loggedIn, args: some, do: (*session).lsub, usage: "reference pattern", rfc: "RFC 3501 6.3.9"},
		"NAMESPACE":   {when: loggedIn, do: (*session).namespace, rfc: "RFC 9051 6.3.10", caps: "NAMESPACE"},
		"STATUS":      {when: loggedIn, args: some, do: (*session).status, usage: "mailbox (item ...)", rfc: "RFC 9051 6.3.11", caps: "STATUS=SIZE"},
		"APPEND":      {when: loggedIn, args: some, do: (*session).append, usage: "mailbox [(flags)] [date] message ...", rfc: "RFC 9051 6.3.12, 3502 6.3.11", caps: "LITERAL+ MULTIAPPEND"},
		"IDLE":        {when: loggedIn, do: (*session).idle_, rfc: "RFC 9051 6.3.13", caps: "IDLE"},

		"NOTIFY":       {when: loggedIn, args: some, has: has[AccountWatcher], do: (*session).notify, usage: "NONE | SET [STATUS] (mailboxes (event ...)) ...", rfc: "RFC 5465 3.1", caps: "NOTIFY"},
		"GETQUOTA":     {when: loggedIn, args: some, has: has[Quotas], do: (*session).getQuota, usage: "root", rfc: "RFC 9208 4.1.1", caps: "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"},
		"GETQUOTAROOT": {when: loggedIn, args: some, has: has[Quotas], do: (*session).getQuotaRoot, usage: "mailbox", rfc: "RFC 9208 4.1.2"},
		"SETQUOTA":     {when: loggedIn, args: some, has: has[QuotaSetter], do: (*session).setQuota, usage: "root (resource limit ...)", rfc: "RFC 9208 4.1.3", caps: "QUOTASET"},
		"COMPRESS":     {when: loggedIn, args: some, do: (*session).compress, then: (*session).deflate, usage: "DEFLATE", rfc: "RFC 4978 3", caps: "COMPRESS=DEFLATE"},

		"CHECK":    {when: inMailbox, do: (*session).noop, rfc: "RFC 3501 6.4.1"},
		"CLOSE":    {when: inMailbox, do: (*session).close, rfc: "RFC 9051 6.4.1"},
		"UNSELECT": {when: inMailbox, do: (*session).unselect_, rfc: "RFC 9051 6.4.2", caps: "UNSELECT"},
		"EXPUNGE":  {when: inMailbox, args: maybe, do: (*session).expunge, uid: (*session).uidExpunge, usage: "[set]", rfc: "RFC 9051 6.4.3, 6.4.9", caps: "UIDPLUS"},
		"SEARCH":   {when: inMailbox, args: some, numbers: true, do: (*session).search, uid: (*session).search, usage: "[RETURN (option ...)] [CHARSET charset] key ...", rfc: "RFC 9051 6.4.4", caps: "ESEARCH SEARCHRES WITHIN PARTIAL"},
		"SORT":     {when: inMailbox, args: some, numbers: true, do: (*session).sort, uid: (*session).sort, usage: "[RETURN (option ...)] (key ...) charset key ...", rfc: "RFC 5256 3", caps: "SORT SORT=DISPLAY ESORT"},
		"THREAD":   {when: inMailbox, args: some, numbers: true, do: (*session).thread, uid: (*session).thread, usage: "algorithm charset key ...", rfc: "RFC 5256 3", caps: "THREAD=ORDEREDSUBJECT THREAD=REFERENCES"},
		"FETCH":    {when: inMailbox, args: some, numbers: true, do: (*session).fetch, uid: (*session).fetch, usage: "set item | (item ...) [(CHANGEDSINCE n [VANISHED])]", rfc: "RFC 9051 6.4.5, 7162 3.1.4", caps: "BINARY PREVIEW SAVEDATE"},
		"STORE":    {when: inMailbox, args: some, numbers: true, do: (*session).store, uid: (*session).store, usage: "set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] (flags)", rfc: "RFC 9051 6.4.6, 7162 3.1.3"},
		"COPY":     {when: inMailbox, args: some, do: (*session).copy, uid: (*session).copy, usage: "set mailbox", rfc: "RFC 9051 6.4.7"},
		"MOVE":     {when: inMailbox, args: some, do: (*session).move, uid: (*session).move, usage: "set mailbox", rfc: "RFC 9051 6.4.8, 6851 3", caps: "MOVE"},
		"REPLACE":  {when: inMailbox, args: some, has: has[Replacer], do: (*session).replace, uid: (*session).replace, usage: "message mailbox [(flags)] [date] message", rfc: "RFC 8508 3.3", caps: "REPLACE"},
	}
}

// has tells whether the account has a power.
func has[Power any](s *session) bool {
	_, ok := s.account.(Power)
	return ok
}

// capabilities is what the server can do for this client now (RFC 9051 section
// 6.1.1).
func (s *session) capabilities() []string {
	caps := []string{"IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID"}
	if s.account == nil {
		caps = append(caps, "ENABLE") // so that clients that look early see it
		if s.mayTLS() {
			caps = append(caps, "STARTTLS")
		}
		channel := s.channel()
		if s.h.Auth == nil || !s.h.Auth.PlainAllowed(channel) {
			caps = append(caps, "LOGINDISABLED")
		}
		if s.h.Auth != nil {
			for _, m := range s.h.Auth.Mechanisms(channel) {
				caps = append(caps, "AUTH="+m)
			}
		}
		return caps
	}
	for _, name := range slices.Sorted(maps.Keys(s.h.verbs)) {
		if v := s.h.verbs[name]; v.has == nil || v.has(s) {
			caps = append(caps, strings.Fields(v.caps)...)
		}
	}
	if has[ObjectIDs](s) {
		caps = append(caps, "OBJECTID")
	}
	if s.deflated {
		caps = slices.DeleteFunc(caps, func(c string) bool { return c == "COMPRESS=DEFLATE" })
	}
	caps = append(caps, "APPENDLIMIT="+strconv.FormatInt(s.limits.Message, 10))
	return unique(caps)
}

// unique drops what is there twice.
func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// capability is the capabilities as a response code.
func (s *session) capability() Code { return Code{"CAPABILITY", strings.Join(s.capabilities(), " ")} }

func (s *session) capability_(context.Context, Command) (Status, error) {
	s.response("CAPABILITY", func(b []byte) []byte { return append(b, strings.Join(s.capabilities(), " ")...) })
	return Status{}, nil
}

// noop does nothing; what changed is told behind every command.
func (s *session) noop(context.Context, Command) (Status, error) { return Status{}, nil }

func (s *session) logout(context.Context, Command) (Status, error) {
	s.untagged(Status{Kind: BYE, Text: "Goodbye"})
	return Status{}, nil
}
