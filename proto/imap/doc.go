// Package imap is the Internet Message Access Protocol: the heir of Python's
// imaplib.
//
// A server of any [Backend], which package keep/mail makes of mailboxes:
//
//	h := &imap.Handler{Backend: mail, Auth: users, TLS: cfg}
//	srv := &server.Server{Handler: h, Limits: server.Limits{Idle: 30 * time.Minute}}
//	err := srv.ListenAndServe(ctx, "localhost:1143")
//
// A client, whose commands travel together until one is waited for:
//
//	c, err := imap.Dial(ctx, "tls:mail.example:993", imap.Options{})
//	err = c.Login(ctx, auth.Credentials{User: "ann", Password: "secret"})
//	box, err := c.Select(imap.Select{Name: "INBOX"}).Wait(ctx)
//	for m, err := range c.Fetch(ctx, imap.Fetch{Where: where, Items: items}) {
//		body, err := m.Next() // streams
//	}
//
// A [Watcher] tells of new mail for ever, a [Transport] opens imap: URLs.
//
// It is IMAP4rev1 (RFC 3501) and, where a client enables it, IMAP4rev2 (RFC
// 9051), with LITERAL+ and
// LITERAL- (RFC 7888), SASL-IR (4959), IDLE (2177), ID (2971), NAMESPACE
// (2342), QUOTA (9208), UIDPLUS (4315), UNSELECT (3691), MULTIAPPEND (3502),
// BINARY (3516), ESEARCH and SEARCHRES (4731, 5182), WITHIN (5032), ENABLE
// (5161), SORT and THREAD (5256, 5957, 5267), LIST-EXTENDED, LIST-STATUS,
// SPECIAL-USE (5258, 5819, 6154), COMPRESS=DEFLATE (4978), MOVE (6851),
// UTF8=ACCEPT (6855), CONDSTORE and QRESYNC (7162), APPENDLIMIT (7889),
// STATUS=SIZE (8438), NOTIFY (5465), OBJECTID (8474), REPLACE (8508), SAVEDATE (8514), PREVIEW
// (8970) and PARTIAL (9394).
//
// # Grammar
//
// Both ends share it. Whatever stands on a line is a type with Append and a
// function Parse that reads what it wrote: [Command] and [Response], and for
// what they hold [Select], [List], [Fetch], [Store], [Search], [Sort],
// [StatusCommand]; [Status], [ListReply], [StatusReply], [Fetched] (by a
// [FetchReader], where pieces of messages stay on the stream), [Found],
// [ESearch], [Thread], [Vanished], [Namespaces], [Quota], [Envelope],
// [BodyStructure]. Names of mailboxes are UTF-8 in all of them; a [Style] says
// whether they stand so on the wire or in modified UTF-7.
//
// # What a Backend must give
//
// Messages have UIDs that ascend in the order in which they become visible, and
// a modification sequence that every change raises. With these two the session
// needs little: a mailbox as ranges of UIDs ([State]), what [Changes] came after
// a modification sequence, what is known of messages without opening them
// ([Info]), and the structure of one. Sequence numbers are the session's own
// affair, and so are searching, sorting and threading.
//
// # Sessions
//
// Commands run in their order, however many lie there (RFC 9051 section 5.5).
// Behind each the client is told what others changed; where its sequence
// numbers may not move, a message that is gone stays until they may. IDLE holds
// no goroutine: the mailbox wakes the talk.
package imap
