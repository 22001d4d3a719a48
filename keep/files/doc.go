// Package files fits trees of files to the protocols that serve them, the heir
// of the request handlers in Python's http.server, which knew the disk and the
// protocol at once.
package files
