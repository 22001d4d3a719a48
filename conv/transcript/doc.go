// Package transcript writes conversations down and says them again, from
// either side. It is the heir of Python's set_debuglevel, which told what went
// over the wire, and of expect(1), which answered it.
//
// A [Recorder] is a conv.Tap that writes one conversation, secrets masked. A
// [Script] is a conversation to be played, by hand or from such a recording:
//
//	# RFC 5321 section 4.1.1.10
//	S~ 220 .*
//	S= 220 mail.example ready
//	C: QUIT
//	S: 221 bye
//	S.
//
// C: and S: is a line that the client or the server says, CRLF understood; \c
// at its end means that no CRLF follows, other escapes are \r \n \t \\ \* and
// \xNN. S~ is a line for which the regular expression fits as a whole; S= under
// it is what is said when that side is played. *** stands for a secret: the
// rest of the line, whatever it is. "S." ends that side's half of the stream,
// "S!" resets the connection. # begins a comment, and a line may begin with the
// seconds since the conversation began.
//
// [Play] plays one side on a connection; [Server] and [Client] are for tests.
// [Pipe] is a connection in memory, with a buffer, that works in
// testing/synctest.
package transcript
