// Package mbox is the mailbox in one file, messages one after the other, each
// below a line that begins with "From ": the heir of Python's mailbox.mbox.
//
// [Read] takes the forms mboxrd and mboxo apart, as a stream; a [Writer] puts
// mboxrd together, which is the one that loses nothing (a line that begins with
// any number of ">" and "From " gets one ">" more).
//
//	for m, err := range mbox.Read(file, mbox.RD) {
//		...
//		root, err := message.Parse(message.NewCRLFReader(m.Text), message.Limits{})
//	}
//
// Locking is the caller's business. Sources: RFC 4155, mbox(5).
package mbox
