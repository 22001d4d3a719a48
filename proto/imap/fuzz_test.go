package imap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/internal/token"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// states are what FuzzSession's commands come behind.
var states = []string{
	"",
	"s1 LOGIN mrc secret\r\n",
	"s1 LOGIN mrc secret\r\ns2 SELECT INBOX\r\n",
	"s1 LOGIN mrc secret\r\ns2 ENABLE QRESYNC IMAP4rev2\r\ns3 EXAMINE INBOX\r\n",
	"s1 LOGIN mrc secret\r\ns2 ENABLE UTF8=ACCEPT QRESYNC\r\ns3 SELECT INBOX\r\n",
}

// ends ends whatever a command has begun.
const ends = "\r\n*\r\nDONE\r\ne1 NOOP\r\ne2 NOOP\r\ne3 NOOP\r\n"

var sayings = []string{
	"a FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY[] BODY[1] BINARY[1] BINARY.SIZE[1] PREVIEW MODSEQ EMAILID THREADID SAVEDATE)\r\nb STORE 1 FLAGS (\\Deleted x)\r\nc EXPUNGE",
	"a IDLE\r\nDONE\r\nb UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)\r\nc UID MOVE 1 Sent",
	"a APPEND INBOX (\\Seen x) \"17-Jul-1996 02:44:25 -0700\" {4+}\r\nx: y {1+}\r\nx\r\nb REPLACE 1 INBOX {1+}\r\nx",
	"a SEARCH RETURN (SAVE ALL MIN COUNT) OR (BODY x SUBJECT y) NOT SENTSINCE 1-Jan-1990\r\nb FETCH $ FAST\r\nc SORT (SUBJECT DATE DISPLAYFROM) UTF-8 ALL\r\nd THREAD REFERENCES UTF-8 ALL\r\ne UID SEARCH RETURN (PARTIAL 1:2) MODSEQ 2",
	"a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (% *) RETURN (STATUS (MESSAGES SIZE) CHILDREN SPECIAL-USE)\r\nb LSUB \"\" %\r\nc STATUS INBOX (UIDNEXT MAILBOXID APPENDLIMIT)\r\nd CREATE x/y (USE (\\Junk))\r\ne RENAME x y\r\nf DELETE x",
	"a AUTHENTICATE PLAIN\r\nAG1yYwBzZWNyZXQ=\r\nb NAMESPACE\r\nc GETQUOTAROOT INBOX\r\nd SETQUOTA \"\" (STORAGE 1)\r\ne ID NIL\r\nf CLOSE\r\ng SELECT INBOX (QRESYNC (1 1 1:5))\r\nh UNSELECT",
	"a NOTIFY SET STATUS (selected (MessageNew (UID PREVIEW) MessageExpunge)) (personal (MailboxName))\r\nb APPEND INBOX {1+}\r\nx\r\nc CREATE n\r\nd DELETE Sent\r\ne NOTIFY NONE",
	"a LOGIN {3}\r\nmrc {6+}\r\nsecret\r\nb COPY 1:* Archive\r\nc UID EXPUNGE 1:*\r\nd LOGOUT",
}

// FuzzSession says arbitrary things in every state. Whatever it is, there is no
// panic, the server's answers are what a client can read, no command is
// answered twice, and as long as no literal swallows them later commands are
// answered too.
func FuzzSession(f *testing.F) {
	for i := range states {
		for _, s := range sayings {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, state byte, said string) {
		if strings.Contains(strings.ToUpper(said), "COMPRESS") || strings.Count(said, "\n") > 50 {
			t.Skip("no lines behind that, or too many")
		}
		out := converse(t, states[int(state)%len(states)]+said+ends)
		checkAnswers(t, out, said)
	})
}

// converse says all of it at once and gives what the server answers.
func converse(t *testing.T, said string) *transcript.End {
	t.Helper()
	ours, theirs := transcript.Pipe()
	log := slog.New(slog.NewTextHandler(failing{t}, nil))
	h := handler(filled())
	h.Log, h.Limits = log, imap.Limits{Message: 1000, Append: 3, Faults: 100}
	srv := &server.Server{Handler: h, Log: log}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { served <- srv.Serve(ctx, transcript.Once(theirs)) }()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		if _, err := io.WriteString(ours, said); err == nil {
			_ = ours.CloseWrite() // fails where the server has hung up
		}
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		<-wrote
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		cancel()
	})
	return ours
}

// failing is a log that nothing may be written to.
type failing struct{ t *testing.T }

func (f failing) Write(p []byte) (int, error) {
	f.t.Errorf("logged: %s", p)
	return len(p), nil
}

// checkAnswers reads all answers to their end.
func checkAnswers(t *testing.T, nc *transcript.End, said string) {
	t.Helper()
	var r wire.Reader
	r.Init(wire.Over(nc, &r), 1<<20)
	answered := map[string]int{}
	utf8, bye := false, false
	for {
		line, err := readResponse(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("an answer breaks off: %q, %v", line, err)
		}
		resp, err := imap.ParseResponse(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if err := understand(resp, utf8); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case resp.Tag == "*":
			bye = bye || resp.Name == "BYE"
			utf8 = utf8 || resp.Name == "ENABLED" && strings.Contains(strings.ToUpper(string(resp.Rest)), "UTF8") || strings.Contains(strings.ToUpper(string(resp.Rest)), "REV2") && resp.Name == "ENABLED"
		case resp.Tag != "+":
			answered[resp.Tag]++
		}
	}
	for _, tag := range []string{"e1", "e2", "e3"} {
		if n := answered[tag]; n > 1 && !strings.Contains(said, tag) {
			t.Fatalf("%s was answered %d times", tag, n)
		}
	}
	if answered["e3"] == 0 && !bye && !strings.Contains(said, "{") {
		t.Fatalf("e3 was not answered; answered were %v", answered)
	}
}

// readResponse reads a line and its literals.
func readResponse(r *wire.Reader) ([]byte, error) {
	var whole []byte
	for {
		line, err := r.Line()
		if err != nil {
			return whole, err
		}
		whole = append(whole, line...)
		head, more := token.Trailing(line)
		if !more || len(line) > 0 && line[0] == '+' {
			return whole, nil
		}
		if !head.Sync {
			return whole, fmt.Errorf("a server's literal is {n}: %q", line)
		}
		l, err := r.Literal(head.Size)
		if err != nil {
			return whole, err
		}
		whole = append(whole, "\r\n"...)
		text, err := io.ReadAll(l)
		if whole = append(whole, text...); err != nil {
			return whole, err
		}
	}
}

// understand reads a response as a client does.
func understand(r imap.Response, utf8 bool) (err error) {
	switch r.Name {
	case "FETCH":
		_, err = imap.ParseFetched(r.Rest)
	case "LIST", "LSUB":
		_, err = imap.ParseListReply(r.Rest, utf8)
	case "STATUS":
		_, err = imap.ParseStatusReply(r.Rest, utf8)
	case "SEARCH", "SORT":
		_, err = imap.ParseFound(r.Rest)
	case "ESEARCH":
		_, err = imap.ParseESearch(r.Rest)
	case "THREAD":
		_, err = imap.ParseThreads(r.Rest)
	case "VANISHED":
		_, err = imap.ParseVanished(r.Rest)
	case "NAMESPACE":
		_, err = imap.ParseNamespaces(r.Rest, utf8)
	case "QUOTA":
		_, err = imap.ParseQuota(r.Rest)
	case "QUOTAROOT":
		_, err = imap.ParseQuotaRoots(r.Rest, utf8)
	case "ID":
		_, err = imap.ParseID(r.Rest)
	case "FLAGS":
		_, err = imap.ParseFlags(string(r.Rest))
	case "OK", "NO", "BAD", "BYE":
		var st imap.Status
		if st, err = r.Status(); err == nil && st.Code.Name == imap.CodeServerBug {
			err = st
		}
	case "", "EXISTS", "RECENT", "EXPUNGE", "CAPABILITY", "ENABLED":
	default:
		err = errors.New("a response that nobody knows")
	}
	return err
}
