// Package mailbox keeps mail: accounts, their mailboxes, the messages in them
// and their flags. It is the heir of Python's mailbox module, for many readers
// and writers at once, and with what POP3 and IMAP want to know: UIDs that
// ascend and are never given twice, modification sequences, what was removed.
//
// A [Store] stands on any [store.Engine] and holds nothing itself, so that
// several can stand on one engine. An [Account] has mailboxes by name; a
// [Mailbox] is a handle that stays on its mailbox whatever becomes of the name.
//
// # Messages
//
// A message is a [Body], which is written first, outside any transaction, and
// an entry in a mailbox: UID, flags, dates, size. One Body can be delivered to
// many ([Store.Deliver]) and is stored once; copies share it too. Behind the
// message a Body may carry an extract, such as its parsed structure, that is
// read back without the message.
//
// Every call that changes something is one Update of the engine: all of it is
// durable when the call returns, or nothing has happened. The entries of a
// mailbox are kept in blocks of up to 64, and the counts beside them change in
// the same Update, so that opening a mailbox of 100,000 messages is a walk over
// some 1,600 block heads.
//
// # What changed
//
// Each change of a mailbox gives it, and every message that it touches, a new
// modification sequence (RFC 7162). [Mailbox.Changes] tells what happened since
// one: cheap for one who was here lately, and possible after years.
package mailbox
