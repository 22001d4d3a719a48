package telnet

import "fmt"

// A Command is the byte that follows IAC (RFC 854, RFC 885, RFC 1184).
type Command byte

// The commands.
const (
	EOF   Command = 236 // end of file (RFC 1184 section 2.6)
	SUSP  Command = 237 // suspend the process
	ABORT Command = 238 // abort the process
	EOR   Command = 239 // end of record (RFC 885)
	SE    Command = 240 // end of sub-negotiation
	NOP   Command = 241 // no operation
	DM    Command = 242 // data mark, the data stream portion of a Synch
	BRK   Command = 243 // break
	IP    Command = 244 // interrupt process
	AO    Command = 245 // abort output
	AYT   Command = 246 // are you there?
	EC    Command = 247 // erase character
	EL    Command = 248 // erase line
	GA    Command = 249 // go ahead
	SB    Command = 250 // sub-negotiation begins
	WILL  Command = 251 // the sender does, or wants to
	WONT  Command = 252 // the sender does not, or not any more
	DO    Command = 253 // the receiver may, or is asked to
	DONT  Command = 254 // the receiver must not
	IAC   Command = 255 // interpret as command
)

// iac is IAC as a byte of the stream.
const iac = byte(IAC)

// String is the command's name, as the RFCs write it.
func (c Command) String() string {
	names := [...]string{
		"EOF", "SUSP", "ABORT", "EOR", "SE", "NOP", "DM", "BRK", "IP", "AO", "AYT",
		"EC", "EL", "GA", "SB", "WILL", "WONT", "DO", "DONT", "IAC",
	}
	if c < EOF {
		return fmt.Sprintf("command %d", byte(c))
	}
	return names[c-EOF]
}

// negotiates tells the four commands that an option follows.
func (c Command) negotiates() bool { return c >= WILL && c <= DONT }

// An Option is what two ends can agree upon (RFC 855).
type Option byte

// The options that this package knows. Any other can be agreed upon too, by
// Options.Will and Options.Do.
const (
	Binary     Option = 0  // 8-bit data, without the rules for CR (RFC 856)
	Echo       Option = 1  // the sender echoes what it receives (RFC 857)
	SGA        Option = 3  // no Go Ahead is sent (RFC 858)
	Status     Option = 5  // which options are on? (RFC 859)
	TimingMark Option = 6  // everything before has been dealt with (RFC 860)
	TTYPE      Option = 24 // the type of the terminal (RFC 1091)
	EndRecord  Option = 25 // the command EOR ends records (RFC 885)
	NAWS       Option = 31 // the size of the window (RFC 1073)
	TSPEED     Option = 32 // the speed of the terminal (RFC 1079)
	LFLOW      Option = 33 // flow control at the client (RFC 1372)
	Linemode   Option = 34 // lines are edited at the client (RFC 1184)
	XDISPLOC   Option = 35 // the X display (RFC 1096)
	NewEnviron Option = 39 // variables (RFC 1572)
	Charset    Option = 42 // the character set (RFC 2066)
	StartTLS   Option = 46 // TLS from here on (draft-altman-telnet-starttls)
)

// String is the option's name, as the RFCs write it.
func (o Option) String() string {
	if s := specOf(o); s.name != "" {
		return s.name
	}
	return fmt.Sprintf("option %d", byte(o))
}

// The codes that begin the sub-negotiation of TTYPE, TSPEED, XDISPLOC, STATUS
// and NEW-ENVIRON.
const (
	subIs   = 0
	subSend = 1
	subInfo = 2
)
