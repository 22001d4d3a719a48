// Package maildir is the mailbox of one file a message: the heir of Python's
// mailbox.Maildir.
//
// A message is written below tmp, synced, and then moved, so that whoever
// looks sees all of it or nothing, and nobody needs a lock. Flags stand in the
// file's name.
//
//	d, err := maildir.Create("/home/joe/Maildir")
//	defer d.Close()
//	e, err := d.Deliver(text, "")
//	for e, err := range d.Messages() { ... }
//
// A [Dir] may be used by several goroutines, and beside other programs.
// Nothing outside of the directory is reached (os.Root). Source: maildir(5)
// of D. J. Bernstein, https://cr.yp.to/proto/maildir.html.
package maildir
