package imap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
	"github.com/farend-go/farend/server"
)

// rfcTalk is the session of RFC 3501 section 8, with a server of that time, and
// what Exchange, Courier and others make of it.
const rfcTalk = `
S: * OK IMAP4rev1 Service Ready
C: A1 CAPABILITY
S: * CAPABILITY IMAP4rev1 LOGINDISABLEDNOT
S: A1 OK CAPABILITY completed
C: ***
S: A2 OK LOGIN completed
C: A3 CAPABILITY
S: * CAPABILITY IMAP4rev1 IDLE
S: A3 OK CAPABILITY completed
C: A4 SELECT INBOX
S: * 18 EXISTS
S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
S: * 2 RECENT
S: * OK [UNSEEN 17] Message 17 is the first unseen message
S: * OK [UIDVALIDITY 3857529045] UIDs valid
S: A4 OK [READ-WRITE] SELECT completed
C: A5 FETCH 12 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)
S: * 12 FETCH (FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 4286 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" {38}
S: IMAP4rev1 WG mtg summary and minutes " (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) NIL NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92))
S: A5 OK FETCH completed
C: A6 FETCH 12 (BODY[HEADER])
S: * 12 FETCH (BODY[HEADER] {6}
S: A: b
S: \c
S:  UID 7)
S: * 13 FETCH (FLAGS (\\Seen))
S: A6 OK FETCH completed
C: A7 STORE 12 +FLAGS (\\Deleted)
S: * 12 FETCH (FLAGS (\\Seen \\Deleted))
S: A7 OK +FLAGS completed
C: A8 FETCH 13 (ENVELOPE RFC822.SIZE)
S: * 13 FETCH (ENVELOPE (one two) RFC822.SIZE 5 )
S: * 99 NONSENSE of some server
S: A8 OK FETCH completed
C: A9 SEARCH ALL
S: * SEARCH 2 84 882 \c
S: 
S: A9 OK SEARCH completed
C: A10 IDLE
S: + idling
S: * 19 EXISTS
C: DONE
S: A10 OK IDLE terminated
C: A11 LOGOUT
S: * BYE IMAP4rev1 server terminating connection
S: A11 OK LOGOUT completed
S.
`

func rfc(ctx context.Context, c *imap.Client) error {
	if err := c.Login(ctx, auth.Credentials{User: "mrc", Password: "secret", ClearText: true}); err != nil {
		return err
	}
	box, err := c.Select(imap.Select{Name: "INBOX"}).Wait(ctx)
	if err != nil || box.Exists != 18 || box.FirstUnseen != 17 || box.UIDValidity != 3857529045 || box.ReadOnly {
		return fmt.Errorf("SELECT: %+v, %w", box, err)
	}
	twelve := imap.Where{Set: imap.One(12)}
	all, err := c.FetchAll(imap.Fetch{Where: twelve, Items: items("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY")}).Wait(ctx)
	if err != nil || len(all) != 1 || all[0].Size != 4286 || all[0].Structure == nil || all[0].Envelope.Subject != `IMAP4rev1 WG mtg summary and minutes "` {
		return fmt.Errorf("FETCH: %+v, %w", all, err)
	}
	got := ""
	header := imap.FetchItem{Name: imap.BodySection, Section: imap.Section{Text: "HEADER"}}
	for m, err := range c.Fetch(ctx, imap.Fetch{Where: twelve, Items: []imap.FetchItem{header}}) {
		if err != nil {
			return err
		}
		for p, err := m.Next(); err != io.EOF; p, err = m.Next() {
			if err != nil {
				return err
			}
			text, err := io.ReadAll(p)
			if err != nil {
				return err
			}
			got += string(text)
		}
		got += fmt.Sprint(m.Seq, m.UID)
	}
	if got != "A: b\r\n12 713 0" {
		return fmt.Errorf("FETCH: %q", got)
	}
	flags, err := c.Store(imap.Store{Where: twelve, Op: imap.Add, Flags: []imap.Flag{imap.Deleted}}).Wait(ctx)
	if err != nil || len(flags.Messages) != 1 || !imap.HasFlag(flags.Messages[0].Flags, imap.Deleted) {
		return fmt.Errorf("STORE: %+v, %w", flags, err)
	}
	all, err = c.FetchAll(imap.Fetch{Where: imap.Where{Set: imap.One(13)}, Items: items("ENVELOPE", "RFC822.SIZE")}).Wait(ctx)
	if err != nil || len(all) != 1 || all[0].Envelope != nil || all[0].Size != 5 {
		return fmt.Errorf("an ENVELOPE that is none: %+v, %w", all, err)
	}
	found, err := c.Search(imap.Search{Key: imap.Key{Name: "ALL"}, Return: &imap.Return{Min: true, Count: true}}, false).Wait(ctx)
	if err != nil || found.Min != 2 || found.Count != 3 || found.All != nil {
		return fmt.Errorf("SEARCH: %+v, %w", found, err)
	}
	if err := c.Idle(ctx, func(r imap.Response) bool { return r.Name != "EXISTS" || r.Number != 19 }); err != nil {
		return err
	}
	return c.Logout(ctx)
}

func TestClientTranscript(t *testing.T) {
	script, err := transcript.Parse("rfc3501", strings.ReplaceAll(rfcTalk, "LOGINDISABLEDNOT", "AUTH=X"))
	if err != nil {
		t.Fatal(err)
	}
	transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
		c, err := imap.NewClient(ctx, conv.New(nc, conv.Options{}), imap.Options{})
		if err != nil {
			return err
		}
		defer c.Close()
		return rfc(ctx, c)
	})
}

// TestClientUnderFaults has both ends talk over connections that misbehave, by
// seeds: each call gives the right answer or an error.
func TestClientUnderFaults(t *testing.T) {
	content := strings.Repeat("0123456789abcdef\r\n", 500)
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := imaptest.New(t, imaptest.Options{Messages: []string{content, content}, Server: func(srv *server.Server) {
				srv.Layers = []conv.Layer{faults.Layer(faults.Mix(seed)...)}
				srv.Limits = server.Limits{Handshake: time.Second, Turn: time.Second, Idle: time.Second, Drain: time.Millisecond}
			}})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			all, err := faulty(ctx, s)
			if err == nil && (len(all) != 2 || string(all[1].Pieces[0].Data) != content) {
				t.Errorf("%d messages and no error", len(all))
			}
		})
	}
}

func faulty(ctx context.Context, s *imaptest.Server) ([]*imap.Fetched, error) {
	c, err := imap.Dial(ctx, s.Endpoint("tcp"), s.Options())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(ctx, auth.Credentials{User: imaptest.User, Password: imaptest.Password, Mechanism: auth.PLAIN}); err != nil {
		return nil, err
	}
	sel := c.Select(imap.Select{Name: "INBOX"})
	all := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.BodySection)})
	if _, err := sel.Wait(ctx); err != nil {
		return nil, err
	}
	return all.Wait(ctx)
}

// said is a connection on which the peer has said everything already.
type said struct {
	net.Conn
	in *bytes.Reader
}

func (s *said) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *said) Write(p []byte) (int, error)      { return len(p), nil }
func (s *said) Close() error                     { return nil }
func (s *said) SetDeadline(time.Time) error      { return nil }
func (s *said) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }

// FuzzClient has a server say anything. The client ends, and takes no half of a
// message for a whole one.
func FuzzClient(f *testing.F) {
	var lines []byte
	for line := range strings.Lines(rfcTalk) {
		if s, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "S: "); ok {
			lines = append(lines, strings.ReplaceAll(s, `\\`, `\`)...)
			lines = append(bytes.TrimSuffix(lines, []byte(`\c`)), "\r\n"...)
		}
	}
	f.Add(lines, false)
	f.Add([]byte("* PREAUTH [CAPABILITY IMAP4rev2 ENABLE] hi\r\n* ENABLED IMAP4rev2\r\nA1 OK x\r\n* 1 EXISTS\r\nA2 OK x\r\n"+
		"* 1 FETCH (BODY[] {3}\r\nabc ENVELOPE ({1}\r\nx {2}\r\nyz))\r\nA3 OK x\r\n* ESEARCH (TAG \"A4\") ALL 1:*\r\n"), true)
	f.Add([]byte("* OK\r\n+ \r\n* BYE {5}\r\n* LIST () {3}\r\nabc {2}\r\nxy\r\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, strict bool) {
		ctx := t.Context()
		o := imap.Options{Strict: strict, Response: 1 << 16}
		c, err := imap.NewClient(ctx, conv.New(&said{in: bytes.NewReader(text)}, conv.Options{}), o)
		if err != nil {
			return
		}
		defer c.Close()
		if err := c.Login(ctx, auth.Credentials{User: "a", Password: "b"}); err != nil && c.Broken() {
			return
		}
		_, _ = c.Select(imap.Select{Name: "INBOX"}).Wait(ctx)
		for m, err := range c.Fetch(ctx, imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.BodySection)}) {
			for err == nil {
				var p *imap.Content
				if p, err = m.Next(); err != nil {
					break
				}
				n, err := io.Copy(io.Discard, p)
				if err == nil && n != p.Size {
					t.Fatalf("%d octets of %d, and no error", n, p.Size)
				}
			}
		}
		_, _ = c.Search(imap.Search{Key: imap.Key{Name: "ALL"}}, true).Wait(ctx)
		_, _ = c.List(imap.List{Patterns: []string{"*"}}).Wait(ctx)
		if err := c.Idle(ctx, func(imap.Response) bool { return false }); err == nil && c.Broken() {
			t.Fatal("an IDLE without an error, and broken")
		}
		if err := c.Logout(ctx); errors.Is(err, conv.ErrBroken) && !c.Broken() {
			t.Fatal("broken or not?")
		}
	})
}
