package maildir

// mark stands between a file's key and its flags. A colon cannot be part of a
// name here; Mutt and Dovecot take a semicolon too.
const mark = ";"
