package nntp

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/farend-go/farend/message"
)

// Errors of a Backend, which are those of a Client too.
var (
	// ErrNoGroup is a group that is not there.
	ErrNoGroup = errors.New("nntp: no such newsgroup")
	// ErrNoArticle is an article that is not there.
	ErrNoArticle = errors.New("nntp: no such article")
	// ErrNotWanted is an article that a server does not take, now or ever.
	ErrNotWanted = errors.New("nntp: article not wanted")
	// ErrLater is something that may go well another time.
	ErrLater = errors.New("nntp: try again later")
	// ErrNotAllowed is what a client may not do, or not without a login or TLS.
	ErrNotAllowed = errors.New("nntp: not permitted")
	// ErrUnknown is a command that a server does not have.
	ErrUnknown = errors.New("nntp: no such command")
)

// A Backend has groups and articles. Its methods may be called concurrently.
// What else it implements decides what else there is: [Poster], [Arrivals]. An
// error of theirs that is none of those above is a fault of the server's, unless
// there is a Reply in it that says otherwise.
type Backend interface {
	// Group gives a group with its marks. ErrNoGroup.
	Group(ctx context.Context, name string) (Group, error)
	// Groups gives all of them, by their names.
	Groups(ctx context.Context) iter.Seq2[Group, error]
	// Article finds an article by its number in a group, ByID by its
	// identifier; its Number is then 0. ErrNoArticle.
	Article(ctx context.Context, group string, number int64) (Article, error)
	ByID(ctx context.Context, id string) (Article, error)
	// Next finds the article behind a number in a group, Previous the one
	// before it. ErrNoArticle.
	Next(ctx context.Context, group string, number int64) (Article, error)
	Previous(ctx context.Context, group string, number int64) (Article, error)
	// Articles gives the articles of a range in order, Numbers only their
	// numbers.
	Articles(ctx context.Context, group string, r Range) iter.Seq2[Article, error]
	Numbers(ctx context.Context, group string, r Range) iter.Seq2[int64, error]
	// Overview is what AppendOverview writes.
	Overview() Format
}

// An Article is one that a Backend found. It is used by one session.
type Article interface {
	Number() int64 // in the group in which it was found
	ID() string
	// AppendOverview writes the fields of the Backend's Format, with tabs
	// between them, none of them with a tab or a line break inside.
	AppendOverview(b []byte) []byte
	// Open opens the text. ErrNoArticle: it is there no more.
	Open(ctx context.Context) (Text, error)
}

// Text is an open article, with CRLF as line ends.
type Text struct {
	Header []byte // the fields, without the empty line
	Body   io.Reader
	io.Closer
}

// A Poster is a Backend that takes articles: POST, IHAVE, CHECK and TAKETHIS.
type Poster interface {
	// Wanted tells whether an article would be taken: ErrNotWanted, ErrLater.
	Wanted(ctx context.Context, id string) error
	// Draft reads an article to the end of its body, where nobody sees it yet,
	// or gives up. ErrNotWanted: it is refused, for a reason that a person can
	// read in the error. The errors of the body are passed on.
	Draft(ctx context.Context, a Incoming) (Draft, error)
	// Take takes drafts of Draft's in, in their order, each of them wholly or
	// not at all, and for good before it returns. There are several where a
	// client sends one behind the other without waiting, so that they may become
	// durable together; one may be refused for what one before it is. The errors
	// are those of the drafts, nil for one that was taken. ErrNotWanted as above;
	// ErrNoGroup is such a reason.
	Take(ctx context.Context, drafts ...Draft) []error
}

// A Draft is an article that was read. Close lets go of it, and throws it away
// unless it was taken.
type Draft interface{ Close() error }

// An Incoming is an article that a Poster is given. Of one that was posted the
// header has been made an article's by RFC 5537; of one that was transferred it
// has been checked, and its Path is ours. Header and Body are good until Draft
// returns.
type Incoming struct {
	ID     string
	Header message.Header
	Body   io.Reader // with CRLF as line ends
	Size   int64     // of the body in octets; -1: not known yet
	Peer   Peer
	Posted bool // by POST, not transferred from a server
}

// Arrivals is a Backend that knows when articles came, for NEWNEWS.
type Arrivals interface {
	// Since gives the identifiers of the articles that came at a time or later,
	// in groups that match.
	Since(ctx context.Context, t time.Time, match func(group string) bool) iter.Seq2[string, error]
}
