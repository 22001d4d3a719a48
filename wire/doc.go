// Package wire is the grammar that the Internet's text protocols share: lines,
// dot-blocks, counted literals and numbered replies over a byte stream. It is
// the heir of Python's asynchat and of the line half of Twisted's LineReceiver.
//
// It knows no protocol and no socket. A [Reader] and a [Writer] are values
// that stand over a [Source]; conv.Conn is the Source of both. They hold
// storage only while there is something in it, so that a conversation at rest
// costs no buffer.
//
// What it refuses, it refuses for a reason: only CRLF ends a line and only
// CRLF.CRLF ends a dot-block (anything laxer is the door of SMTP smuggling),
// no line is longer than its limit, and no line that is written has a line
// break inside.
package wire

import "errors"

// Errors of this package. All of them leave the Reader or Writer usable: the
// offending line has been consumed, or nothing has been written.
var (
	// ErrWait says that more input is needed and this caller may not wait for
	// it. An engine catches it, rewinds the Reader and calls again with more.
	ErrWait = errors.New("wire: would wait")
	// ErrLineTooLong is a line over the Reader's limit; all of it was dropped.
	ErrLineTooLong = errors.New("wire: line too long")
	// ErrBareLF is a line that LF alone ended.
	ErrBareLF = errors.New("wire: line ended by LF without CR")
	// ErrBareCR is a line with a CR that no LF follows.
	ErrBareCR = errors.New("wire: CR without LF inside a line")
	// ErrBreak is a line to be written that has a CR or LF inside.
	ErrBreak = errors.New("wire: line break inside a line to be written")
	// ErrReply is an answer that is no numbered reply (three digits, then a
	// blank, a hyphen or the end of the line).
	ErrReply = errors.New("wire: malformed reply")
	// ErrReplyTooLong is a multi-line reply of more than [MaxReplyLines] lines.
	ErrReplyTooLong = errors.New("wire: reply has too many lines")
)
