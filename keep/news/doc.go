// Package news fits newsgroups to NNTP: the heir of the glue between a spool and
// Python's nntplib that Python left to INN.
//
// A [Backend] is that of nntp.Handler over a newsgroup.Store. Control messages
// are kept in control.cancel, control.newgroup and so on, or in control, where
// there are such groups, and are not obeyed; a cancel is, where Obey says so.
package news
