// Package proto is what a protocol is: a value that says its name, where it is
// written down and which ends of it exist, not an entry in a registry. It is
// the heir of the lines of /etc/services, and of the table in every tutorial
// that lists a protocol beside its port and its Python module.
//
// A protocol's package holds both ends and the grammar they share. It exports
// the value; whoever wants a catalogue makes one of such values, as package
// app does.
package proto

// Protocol describes one protocol. It is data: nothing is done with it here.
type Protocol struct {
	Name    string   // in lower case, as in "farend serve NAME" and in URLs of its own
	About   string   // what it is, in a few words
	RFC     string   // where it is written down: "RFC 862"; "" where no RFC is
	Port    int      // the port that IANA gave it; 0: none
	Schemes []string // the URL schemes that its client opens
	Stream  bool     // spoken over TCP and Unix stream sockets
	Packet  bool     // spoken over UDP and Unix datagram sockets
	Client  bool     // the client's end exists
	Server  bool     // the server's end exists
	Verbs   []string // in capitals, the words with which its requests begin; nil: they do not begin so, or nobody says
}
