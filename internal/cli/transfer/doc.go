// Package transfer fetches, sends and mirrors what URLs name: the heir of curl,
// and of the mirrors of wget and lftp. It is what farend get and farend put are
// made of.
//
// A [Client] is an opener (package open) and what a command line adds to it:
// where the bytes go, what of them is here already, what is tried again, and
// curl's number for what went wrong ([Code]). A download that breaks off leaves
// NAME.part and a note of the [Version] that it is a part of, so that the next
// one goes on there, and only there: a file that has changed begins anew.
//
// A scheme is one line of a table: how it is opened, and, where it has them, how
// a tree is walked and how a file is sent.
package transfer
