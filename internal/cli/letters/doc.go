// Package letters is mail in files, and its way into mailboxes at servers and
// out of them: the heir of mutt's and mbsync's imports and of formail.
//
// [Open] reads an mbox, a Maildir or a directory of .eml files; [Import] appends
// what a server's mailbox lacks of it. [Export] brings what a file or directory
// lacks of a server's mailbox. Both may be cut off at any time, and the next run
// goes on: nothing comes twice. Flags and dates are kept, in an mbox as the
// fields Status, X-Status and X-Keywords, in a Maildir in the names of the files
// and in dovecot-keywords.
package letters
