package imap

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/message"
)

// A Backend keeps the mail of users. Its methods, and those of what it hands
// out, are called by many sessions at once.
//
// Everywhere below, names of mailboxes are UTF-8 with "/" between the levels,
// and INBOX is in capitals. Sets are in order and hold UIDs. An error is told
// to the client where a Status is in it (the Err values of this package are
// such); of any other the client learns only that something went wrong, and
// the log the rest.
type Backend interface {
	// Account is the mail of somebody who has proved to be id.Authorization.
	Account(ctx context.Context, id auth.Identity) (Account, error)
}

// What a Backend says to a client. Others may be made in the same way.
var (
	ErrNonExistent   = Status{NO, Code{Name: CodeNonExistent}, "No such mailbox"}
	ErrAlreadyExists = Status{NO, Code{Name: CodeAlreadyExists}, "There is such a mailbox already"}
	ErrHasChildren   = Status{NO, Code{Name: CodeHasChildren}, "The mailbox has children"}
	ErrOverQuota     = Status{NO, Code{Name: CodeOverQuota}, "Not enough room"}
	ErrLimit         = Status{NO, Code{Name: CodeLimit}, "Too many"}
	ErrTooBig        = Status{NO, Code{Name: CodeTooBig}, "Message too large"}
	ErrReadOnly      = Status{NO, Code{Name: CodeReadOnly}, "The mailbox is read-only"}
	ErrNoPerm        = Status{NO, Code{Name: CodeNoPerm}, "Not allowed"}
	ErrCannot        = Status{NO, Code{Name: CodeCannot}, "Not possible"}
	ErrGone          = Status{NO, Code{Name: CodeExpungeIssued}, "The message is gone"}
	ErrUse           = Status{NO, Code{Name: CodeUseAttr}, "No mailbox can have this use"}
)

// An Account is what one user sees. What else it implements decides what the
// server offers: Quotas, NamespaceLister, Replacer, ObjectIDs, AccountWatcher.
type Account interface {
	// List gives all mailboxes, in any order, and the names that are subscribed
	// to and are none.
	List(ctx context.Context) ([]Entry, error)
	// Create makes a mailbox. use is the special uses that it is to have (RFC
	// 6154), mostly none; the id may be "". ErrAlreadyExists, ErrCannot, ErrUse.
	Create(ctx context.Context, name string, use []string) (id string, err error)
	// Delete removes a mailbox and its messages. Those below it stay. ErrNonExistent.
	Delete(ctx context.Context, name string) error
	// Rename renames a mailbox and those below it. Of INBOX the messages move
	// and an empty INBOX stays (RFC 9051 section 6.3.6). ErrNonExistent,
	// ErrAlreadyExists.
	Rename(ctx context.Context, from, to string) error
	// Subscribe puts a name on the list of subscriptions, or takes it off. There
	// need be no such mailbox.
	Subscribe(ctx context.Context, name string, on bool) error
	// Status tells of a mailbox; only what items asks for need be there.
	// ErrNonExistent.
	Status(ctx context.Context, name string, items []string) (MailboxStatus, error)
	// Append begins to add messages to a mailbox. ErrNonExistent (the client is
	// then told to create it).
	Append(ctx context.Context, name string) (Appender, error)
	// Open opens a mailbox; readOnly: as EXAMINE does. ErrNonExistent.
	Open(ctx context.Context, name string, readOnly bool) (Mailbox, error)
}

// An Entry is a mailbox in a list.
type Entry struct {
	Name       string
	Missing    bool // there is no such mailbox: it is only subscribed to
	NoSelect   bool // it cannot be opened
	Subscribed bool
	Use        []string // special uses: \Sent and so on
}

// An Appender adds messages to a mailbox, all or none. It is used by one
// goroutine.
type Appender interface {
	// Add reads a message of the given size to its end. ErrTooBig and
	// ErrOverQuota may come before anything is read. An error of r is returned.
	Add(ctx context.Context, m NewMessage, r io.Reader) error
	// Commit makes what was added visible, at once and durably, and gives the
	// UIDs, which are the largest of the mailbox.
	Commit(ctx context.Context) (AppendUID, error)
	// Close forgets what was not committed. It is always called.
	Close() error
}

// NewMessage is a message that is being appended.
type NewMessage struct {
	Size  int64
	Flags []Flag
	Date  time.Time // internal date; zero: now
}

// A Mailbox is one that a session has open. Nothing of it changes while it is
// open but by the methods here, of any session; each sees at once what others
// have done.
type Mailbox interface {
	// State is the mailbox as it is now.
	State(ctx context.Context) (State, error)
	// Changes tells what became different after a modification sequence: the
	// ModSeq of a State or of earlier Changes, or what a client kept for years.
	// It is asked after nearly every command and must cost next to nothing
	// where there is no change. ErrNonExistent: the mailbox was deleted.
	Changes(ctx context.Context, since uint64) (Changes, error)
	// Messages tells of those messages that are there, in the order of their
	// UIDs; between two of them others may change the mailbox. Nobody changes
	// what is given, and Flags is valid until the next.
	Messages(ctx context.Context, uids Set) iter.Seq2[Info, error]
	// Message opens a message, at the cost of what is then asked of it. ErrGone.
	Message(ctx context.Context, uid uint32) (Message, error)
	// Store changes flags of those messages that are there, but not of those
	// that changed after unchangedSince (nil: of all), as one change. A message
	// that has the flags already does not change. ErrLimit: too many keywords.
	Store(ctx context.Context, uids Set, op Op, flags []Flag, unchangedSince *uint64) (Stored, error)
	// Copy copies those messages that are there to another mailbox (or to the
	// same), with flags and dates, all or none. ErrNonExistent, ErrOverQuota.
	Copy(ctx context.Context, uids Set, to string) (CopyUID, error)
	// Move is Copy and the removal of the originals, at once.
	Move(ctx context.Context, uids Set, to string) (CopyUID, error)
	// Expunge removes those of the messages that have \Deleted, and gives their
	// UIDs.
	Expunge(ctx context.Context, uids Set) (Set, error)
	// Watch has f called soon after each change that another session or a
	// delivery made, until stop is called; of several changes once may be
	// enough. f does not block and may be called by any goroutine, also by one
	// that stands in a method here; stop may be called by f's.
	Watch(f func()) (stop func())
	// Close lets go of the mailbox.
	Close() error
}

// Claimer is a Mailbox that knows of which messages sessions have been told: the
// others are \Recent to the first one that is told of them (RFC 3501 section
// 2.3.2; RFC 9051 has it no longer). Claim gives the first UID of those, up to
// one that is told of now, and 0 where there can be none; unless peek, they are
// nobody else's then.
type Claimer interface {
	Claim(ctx context.Context, upTo uint32, peek bool) (first uint32, err error)
}

// State is what SELECT tells.
type State struct {
	UIDs        Set // of all messages: ranges, so that many messages are little
	UIDValidity uint32
	UIDNext     uint32
	ModSeq      uint64 // highest of all that ever was here; at least 1
	FirstUnseen uint32 // UID of the first message without \Seen; 0: there is none
	Keywords    []Flag // those that messages here have or had
	NoKeywords  bool   // new ones cannot be made
	ReadOnly    bool   // nobody may change it now
	ID          string // MAILBOXID (RFC 8474); "": none
}

// Changes is what became different.
type Changes struct {
	ModSeq uint64 // what to ask with next time
	// Changed are the messages that are there and came or changed since; new
	// ones are those with UIDs that had not been given then.
	Changed Set
	// Gone are UIDs of messages that were removed since. Where that is not
	// known any more, all UIDs that were given and that nobody has will do.
	Gone Set
}

// Info is what is known of a message without looking at it.
type Info struct {
	UID          uint32
	ModSeq       uint64
	Flags        []Flag
	Size         int64
	InternalDate time.Time
	SaveDate     time.Time // when it came into this mailbox (RFC 8514); zero: unknown
	EmailID      string    // RFC 8474; "": unknown
	ThreadID     string    // RFC 8474; "": unknown
}

// A Message is an open message. It is used by one goroutine, and may outlive
// the message's removal.
type Message interface {
	io.ReaderAt
	// Structure is the message's structure, from a cache where there is one; the
	// body need not be read for it. Nobody changes it.
	Structure(ctx context.Context) (*message.Part, error)
	Close() error
}

// Stored is the outcome of Store.
type Stored struct {
	ModSeq   uint64 // of all messages that changed; if none did, any
	Changed  Set
	Modified Set // left alone because of unchangedSince
}

// Quotas is an Account with limits (RFC 9208).
type Quotas interface {
	// QuotaRoots names the roots that a mailbox counts under. ErrNonExistent.
	QuotaRoots(ctx context.Context, mailbox string) ([]string, error)
	// Quota tells of a root. ErrNonExistent.
	Quota(ctx context.Context, root string) (Quota, error)
}

// QuotaSetter is Quotas that a user may set. ErrNoPerm, ErrNonExistent.
type QuotaSetter interface {
	Quotas
	SetQuota(ctx context.Context, q SetQuota) error
}

// NamespaceLister is an Account with other namespaces than one personal one
// without a prefix. Their delimiter is "/".
type NamespaceLister interface {
	Namespaces(ctx context.Context) (Namespaces, error)
}

// Replacer is an Account that can put a new message in the place of an old one
// (RFC 8508): Replace is Append to the mailbox to, whose Commit also removes a
// message of from, which the Account opened and which may have another name by
// now. ErrGone, ErrNonExistent.
type Replacer interface {
	Replace(ctx context.Context, from Mailbox, uid uint32, to string) (Appender, error)
}

// ObjectIDs is an Account whose mailboxes and messages have identifiers (RFC
// 8474): State.ID, MailboxStatus.MailboxID, Info.EmailID, and perhaps
// Info.ThreadID. The method does nothing.
type ObjectIDs interface{ ObjectIDs() }

// AccountWatcher is an Account that tells of changes in all its mailboxes, for
// NOTIFY (RFC 5465). f gets the name of a mailbox whose messages changed, or ""
// where the list of mailboxes did; otherwise it is as with Mailbox.Watch.
type AccountWatcher interface {
	WatchAccount(f func(mailbox string)) (stop func())
}
