package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
)

// A Backend takes mail in. Its methods may be called by several goroutines.
// What else it can do it says by implementing Traiter, Verifier, Expander,
// Turner, Extender.
//
// An error that is a Reply, or has one inside, is what the peer is told, also a
// positive one (251, or a 250 in other words); of any other error it hears 451
// 4.3.0 and not a word of its text, but the Handler's Log does. ErrNoMailbox and
// its siblings are such Replies.
type Backend interface {
	// Mail begins a message. A Transaction that it returns ends by exactly one
	// call of Commit or Abort.
	Mail(ctx context.Context, from Sender, peer Peer) (Transaction, error)
}

// A Transaction is a message on its way in. Its methods are called one at a
// time, on no particular goroutine. Nothing may be kept before Commit, and what
// Commit has taken may never be lost, for the peer will forget it.
type Transaction interface {
	// Rcpt adds a recipient, or refuses it.
	Rcpt(ctx context.Context, to Recipient) error
	// Body takes the message, trace lines in front, lines ended by CRLF; it is
	// called at most once, and may return before it has read everything. An
	// error of r other than io.EOF says that there will be no Commit: it is to be
	// returned. Its context ends when the peer is gone. A short message, which
	// lies in memory whole, comes as a *bytes.Buffer, whose Bytes may be looked
	// at until Body returns.
	Body(ctx context.Context, r io.Reader) error
	// Commit returns when the message is durable at every recipient's, in the
	// order in which they were taken. After an error it has left nothing behind,
	// unless the error is Results.
	Commit(ctx context.Context) error
	// Abort forgets the message, also in the middle of it.
	Abort()
}

// Results is what Commit returns where recipients fare differently: an error,
// or nil, for each that Rcpt took, in that order. LMTP tells the peer of each.
// SMTP has one answer only: if any is an error the peer is told the first, and
// comes again for all of them.
type Results []error

// Error names the first that is one.
func (r Results) Error() string {
	for _, err := range r {
		if err != nil {
			return err.Error()
		}
	}
	return "smtp: no errors"
}

// Unwrap gives all of them.
func (r Results) Unwrap() []error { return r }

// Replies of Backends.
var (
	ErrNoMailbox  error = Reply{550, Status{5, 1, 1}, "No such mailbox here"}
	ErrNoRelay    error = Reply{550, Status{5, 7, 1}, "Relaying denied"}
	ErrFull       error = Reply{452, Status{4, 2, 2}, "Mailbox full"}
	ErrNoSpace    error = Reply{452, Status{4, 3, 1}, "Out of space"}
	ErrTooBig     error = Reply{552, Status{5, 3, 4}, "Message too big"}
	ErrRejected   error = Reply{550, Status{5, 7, 1}, "Message refused"}
	ErrTryLater   error = Reply{451, Status{4, 3, 0}, "Try again later"}
	ErrBareBreaks error = Reply{550, Status{5, 6, 0}, "A CR or LF stands alone in the message (RFC 5321 section 2.3.8)"}
)

// A Peer is who talks to the server, as far as it has said.
type Peer struct {
	Talk    uint64 // number of the connection
	Kind    Kind
	Addr    netip.AddrPort       // the client's; zero on a Unix socket
	Local   netip.AddrPort       // ours
	Hello   string               // what it called itself
	Name    string               // what DNS calls it, by XCLIENT; "" unknown
	ESMTP   bool                 // it said EHLO or LHLO
	TLS     *tls.ConnectionState // nil in clear
	User    string               // who has logged in; "" nobody
	XClient bool                 // a trusted proxy has said all this
}

// Protocol is the word for Received's "with" (RFC 3848, RFC 6531).
func (p *Peer) Protocol(utf8 bool) string {
	word := "SMTP"
	if p.Kind == LMTP {
		word = "LMTP"
	}
	if utf8 {
		word = "UTF8" + word
	} else if p.ESMTP && p.Kind != LMTP {
		word = "E" + word
	}
	if p.TLS != nil && (p.ESMTP || utf8) {
		word += "S"
	}
	if p.User != "" && (p.ESMTP || utf8) {
		word += "A"
	}
	return word
}

// Traits are what a Backend makes of a message. The zero Traits are those of
// one that does not say: mailboxes of the server's own, where every message may
// be kept and needs no further hop.
type Traits struct {
	DSN    bool // it sends the notices that NOTIFY asks for
	Binary bool // it takes BINARYMIME
	// NoUTF8 and NoRequireTLS: it sends mail on, to hosts that may lack those.
	NoUTF8       bool
	NoRequireTLS bool
	Pace         Pace
}

// Pace says which calls may block. On the events engine each that may costs a
// goroutine, and replies leave before it, so that those to a flight are no
// longer one write.
type Pace uint8

// Paces.
const (
	// Slow is a Backend all of whose methods may block.
	Slow Pace = iota
	// PromptEnvelope never blocks in Mail and Rcpt.
	PromptEnvelope
	// PromptBody does not block in Abort either, nor in Body but by reading.
	PromptBody
	// Prompt blocks in nothing but Body's reading.
	Prompt
)

// A Traiter has other Traits than the zero ones. It is asked once.
type Traiter interface{ Traits() Traits }

// A Verifier answers VRFY: a mailbox, as in "Ann <ann@example.test>". Several
// are a question of which is meant (553). Without it VRFY says neither yes nor
// no (252, RFC 5321 section 3.5.3).
type Verifier interface {
	Verify(ctx context.Context, name string, peer Peer) ([]string, error)
}

// An Expander answers EXPN: the members of a list.
type Expander interface {
	Expand(ctx context.Context, list string, peer Peer) ([]string, error)
}

// A Turner answers ETRN (RFC 1985): it begins to send what waits for a node,
// whose name may begin with "@" for a domain with all below it and "#" for a
// queue. nil is 250, a Reply says more (251 nothing waits, 253 so many, 458,
// 459).
type Turner interface {
	Turn(ctx context.Context, node string, peer Peer) error
}

// An Extender knows extensions that this package does not.
type Extender interface{ Extensions() []Extension }

// An Extension is what EHLO tells of it, which further parameters MAIL and RCPT
// may have (they come in Extra), and its verb, if it has one.
type Extension struct {
	Capability
	Mail, Rcpt []string // names of parameters, in upper case
	Verb       string
	Do         func(ctx context.Context, arg string, peer Peer) Reply
}

// refusal is what the peer is told of a Backend's error; ours: the error is no
// Reply, and the Log's business.
func refusal(err error) (r Reply, ours bool) {
	if r, ok := errors.AsType[Reply](err); ok && r.Code >= 200 && r.Code <= 599 {
		return r, false
	}
	return Reply{451, Status{4, 3, 0}, "Local error, try again later"}, true
}
