package pop3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/server"
)

func TestParseReply(t *testing.T) {
	for line, want := range map[string]pop3.Reply{
		"+OK":                          {OK: true},
		"+OK ":                         {OK: true},
		"+OK 2 320":                    {OK: true, Text: "2 320"},
		"-ERR":                         {},
		"-ERR no such message":         {Text: "no such message"},
		"-ERR [IN-USE] Do you":         {Code: "IN-USE", Text: "Do you"},
		"-ERR [sys/temp]":              {Code: "SYS/TEMP"},
		"-ERR [] x":                    {Text: "[] x"},
		"-ERR [a b] x":                 {Text: "[a b] x"},
		"-ERR [a]b":                    {Text: "[a]b"},
		"+OK[LOGIN-DELAY] x":           {OK: true, Code: "LOGIN-DELAY", Text: "x"},
		"-ERR: what?":                  {Text: ": what?"},
		"+OK ready <1@x> [not a code]": {OK: true, Text: "ready <1@x> [not a code]"},
	} {
		if got, err := pop3.ParseReply([]byte(line)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "+", "OK", "+ok", "+OKAY", "220 ready", "+ Zm9v"} {
		if _, err := pop3.ParseReply([]byte(line)); !errors.Is(err, pop3.ErrReply) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestReplyIsAnError(t *testing.T) {
	for _, c := range []struct {
		r              pop3.Reply
		refused, inUse bool
	}{
		{pop3.Reply{Text: "no"}, true, false},
		{pop3.Reply{Code: "AUTH"}, true, false},
		{pop3.Reply{Code: "AUTH/X"}, true, false},
		{pop3.Reply{Code: "AUTHX"}, false, false},
		{pop3.Reply{Code: "IN-USE"}, false, true},
		{pop3.Reply{Code: "SYS/TEMP"}, false, false},
		{pop3.Reply{OK: true}, false, false},
	} {
		if errors.Is(c.r, auth.ErrRefused) != c.refused || errors.Is(c.r, pop3.ErrInUse) != c.inUse {
			t.Errorf("%v", c.r)
		}
	}
}

func TestCapabilities(t *testing.T) { // RFC 2449 section 5
	lines := []string{"TOP", "USER", "SASL CRAM-MD5 KERBEROS_V4", "RESP-CODES", "LOGIN-DELAY 900", "PIPELINING", "EXPIRE 60", "UIDL", "implementation Shlemazle-Plotz-v302", ""}
	c := pop3.ParseCapabilities(lines)
	if !c.Has("TOP") || c.Has("STLS") || len(c["SASL"]) != 2 || c["IMPLEMENTATION"][0] != "Shlemazle-Plotz-v302" {
		t.Errorf("%v", c)
	}
	if again := pop3.ParseCapabilities(c.Lines()); !reflect.DeepEqual(again, c) {
		t.Errorf("%v became %v", c, again)
	}
}

func FuzzCommand(f *testing.F) {
	for _, line := range []string{"USER mrose", "pass a b ", "NOOP", "TOP 1 10", "XYZZY", "QUI\xd4", "AUTH PLAIN ="} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := pop3.ParseCommand(line)
		if err != nil {
			return
		}
		again, err := pop3.ParseCommand(c.Append(nil))
		if err != nil || again != c {
			t.Errorf("%q became %+v, then %+v: %v", line, c, again, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, line := range []string{"+OK", "-ERR [SYS/TEMP] x", "+OK [x", "-ERRx", "+OK[A] b", "+OK  [A] b"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\r\n\x00") {
			return
		}
		r, err := pop3.ParseReply(line)
		if err != nil {
			return
		}
		wire := r.Append(nil)
		again, err := pop3.ParseReply(wire)
		if err != nil || !bytes.Equal(again.Append(nil), wire) || again.Code != r.Code || again.OK != r.OK {
			t.Errorf("%q became %+v, then %+v: %v", line, r, again, err)
		}
	})
}

// naiveTop is TOP on a whole text.
func naiveTop(text string, lines int) string {
	all := strings.SplitAfter(text, "\n")
	for i, line := range all {
		if line == "\n" || line == "\r\n" {
			return strings.Join(all[:min(len(all), i+1+lines)], "")
		}
	}
	return text
}

func FuzzTop(f *testing.F) {
	f.Add("Subject: x\r\n\r\na\r\nb\r\n", uint8(1))
	f.Add("a\n\nb\nc", uint8(1))
	f.Add("\r\r\n\n\n", uint8(0))
	f.Fuzz(func(t *testing.T, text string, lines uint8) {
		want := naiveTop(text, int(lines))
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
			"halves": iotest.HalfReader(strings.NewReader(text)), "early EOF": iotest.DataErrReader(strings.NewReader(text)),
		} {
			if got, err := io.ReadAll(pop3.NewTop(r, int(lines))); err != nil || string(got) != want {
				t.Errorf("%s: %d lines of %q: %q, want %q: %v", name, lines, text, got, want, err)
			}
		}
	})
}

// FuzzSession says anything to a server, before and after a login. Every
// command has one answer, and nothing is deleted but what was asked for.
func FuzzSession(f *testing.F) {
	for _, text := range []string{"STAT\r\nLIST\r\nRETR 1\r\nTOP 2 1\r\nQUIT\r\n", "DELE 1\r\nRSET\r\nQUIT\r\n", "AUTH LOGIN\r\n*\r\nCAPA\r\n", "\x00\r\n", "STLS\r\nUTF8\r\nLANG en\r\n"} {
		f.Add(true, []byte(text))
		f.Add(false, []byte(text))
	}
	f.Fuzz(func(t *testing.T, login bool, said []byte) {
		opened, closed, deleted := 0, 0, 0
		h := mrose(drop{events: func(e string) {
			switch {
			case strings.HasPrefix(e, "open"):
				opened++
			case e == "close":
				closed++
			default:
				deleted++
			}
		}})
		if login {
			said = append([]byte("APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"), said...)
		}
		answer, err := servertest.Say(t, &server.Server{Handler: h}, said)
		if err != nil || !bytes.HasPrefix(answer, []byte("+OK ")) || !bytes.HasSuffix(answer, []byte("\r\n")) {
			t.Fatalf("%q: %q, %v", said, answer, err)
		}
		if opened != closed || deleted > opened || deleted > 0 && !bytes.Contains(bytes.ToUpper(said), []byte("QUIT")) {
			t.Fatalf("%q: opened %d times, closed %d, deleted %d", said, opened, closed, deleted)
		}
	})
}

// FuzzClient has a server say anything. The client ends, and takes no half of a
// message for a whole one.
func FuzzClient(f *testing.F) {
	for _, text := range []string{newTalk, oldTalk, "+OK <1@x>\r\n-ERR\r\n+OK\r\n+OK 1 1\r\n+OK\r\n1 1\r\n.\r\n", "+OK\r\n+ \r\n+ \r\n"} {
		var lines []byte
		for line := range strings.Lines(text) {
			if s, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "S: "); ok {
				lines = append(append(lines, s...), '\r', '\n')
			} else if !strings.HasPrefix(line, "C: ") && !strings.HasPrefix(line, "S.") {
				lines = append(lines, strings.ReplaceAll(line, "\r\n", "\n")...)
			}
		}
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		nc := &script{in: bytes.NewReader(said)}
		c, err := pop3.NewClient(t.Context(), conv.New(nc, conv.Options{}), pop3.Options{})
		if err != nil {
			return
		}
		defer c.Close()
		if err := c.Login(t.Context(), auth.Credentials{User: "a", Password: "b", ClearText: true}); err != nil && c.Broken() {
			return
		}
		for m, err := range c.New(t.Context(), &pop3.MemoryJournal{}) {
			if err == nil {
				_, err = io.Copy(io.Discard, m.Body)
			}
			if err == nil && !bytes.Contains(said, []byte(".\r\n")) {
				t.Fatalf("a message without an end in %q", said)
			}
			m.Delete()
		}
		_ = c.Quit(t.Context())
	})
}

// script is a connection on which the peer has said everything already.
type script struct {
	net.Conn
	in *bytes.Reader
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return len(p), nil }
func (s *script) Close() error                { return nil }
func (s *script) RemoteAddr() net.Addr        { return nil }

func TestNothingIsSmuggled(t *testing.T) {
	var said bytes.Buffer
	nc := &spy{script: script{in: bytes.NewReader([]byte("+OK <1@x>\r\n-ERR\r\n"))}, said: &said}
	c, err := pop3.NewClient(t.Context(), conv.New(nc, conv.Options{}), pop3.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, evil := range []string{"a\r\nDELE 1", "a\nDELE 1", "a\rDELE 1", "a\x00"} {
		if err := c.User(ctx, evil, "x"); err == nil {
			t.Errorf("USER %q", evil)
		}
		if err := c.APOP(ctx, evil, "x"); err == nil {
			t.Errorf("APOP %q", evil)
		}
		if _, err := c.Cmd(ctx, "XTND", evil); err == nil {
			t.Errorf("XTND %q", evil)
		}
		if _, err := c.Lang(ctx, evil); err == nil {
			t.Errorf("LANG %q", evil)
		}
	}
	if c.Broken() || said.Len() > 0 {
		t.Errorf("said %q", said.String())
	}
}

// spy notes what is said.
type spy struct {
	script
	said *bytes.Buffer
}

func (s *spy) Write(p []byte) (int, error) { return s.said.Write(p) }
