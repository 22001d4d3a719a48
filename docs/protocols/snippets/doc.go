// Package snippets is what the pages of docs/protocols show: of each protocol
// a server and a client, the heir of the Examples at the end of each chapter
// of Python's library reference. A test holds the pages to these files, and
// runs each client against its server.
package snippets
