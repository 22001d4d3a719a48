// Package telnet is Telnet at both ends: the heir of Python's telnetlib, which
// had a client that refused every option, and of the transport of Twisted's
// conch. RFC 854, 855, 1143 and the options of RFC 856 to 860, 885, 1073, 1079,
// 1091, 1096, 1184, 1372, 1572 and 2066; START_TLS is
// draft-altman-telnet-starttls, and telnet URLs are RFC 4248.
//
// An NVT is one end without its connection: an escaping codec (Decoder,
// Encoder), the option machine of RFC 1143 (State) and the options. It is
// passive: nothing is asked that nobody wanted, and nothing is agreed to that
// Options do not name.
package telnet
