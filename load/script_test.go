package load_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/server"
)

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		answer load.Answer
		in     string
		line   string
		rest   string
		is     error
	}{
		{load.Answer{}, "x", "", "x", nil},
		{load.Reply("220"), "220 here\r\nx", "220 here", "x", nil},
		{load.Reply("2"), "220-here\r\n 220 is it\r\n221 not\r\n220 \r\nx", "220-here", "x", nil},
		{load.Reply("250"), "550 no\r\n", "550 no", "", load.ErrWrong},
		{load.Reply("250"), "550-no\r\n550 no\r\nx", "550-no", "x", load.ErrWrong},
		{load.Status("+OK"), "+OK\nx", "+OK", "x", nil},
		{load.Status("+OK"), "-ERR\r\n", "-ERR", "", load.ErrWrong},
		{load.Status("+OK").Dotted(), "+OK\r\n1\r\n..\r\n.\r\nx", "+OK", "x", nil},
		{load.Status("+OK").Dotted(), "-ERR\r\nx", "-ERR", "x", load.ErrWrong},
		{load.Tagged("a OK"), "* 1\r\nab OK\r\na OK done\r\nx", "a OK done", "x", nil},
		{load.Tagged("a OK"), "* a\r\na NO\r\n", "a NO", "", load.ErrWrong},
		{load.Tagged("a OK"), "* " + strings.Repeat("x", 5000) + "\r\na OK\r\n", "a OK", "", nil},
		{load.Status("+OK"), "", "", "", io.EOF},
		{load.Status("+OK"), "+O", "+O", "", io.ErrUnexpectedEOF},
		{load.Status("+OK").Dotted(), "+OK\r\n1\r\n", "+OK", "", io.EOF},
	} {
		r := bufio.NewReader(strings.NewReader(c.in))
		line, err := c.answer.Read(r)
		rest, _ := io.ReadAll(r)
		if line != c.line || !errors.Is(err, c.is) || string(rest) != c.rest {
			t.Errorf("%+v of %.40q: %q, %v, leaves %q", c.answer, c.in, line, err, rest)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("220-a\r\n220 b\r\n.\r\n")
	f.Add("* x\r\na OK\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, a := range []load.Answer{load.Reply("2").Dotted(), load.Status("+"), load.Tagged("a OK")} {
			if line, err := a.Read(bufio.NewReader(strings.NewReader(in))); err == nil && strings.Contains(line, "\n") {
				t.Fatalf("%q gives %q", in, line)
			}
		}
	})
}

// A script logs in once and then asks, with a number for each connection.
func TestScript(t *testing.T) {
	said := make(chan string, 100)
	target := serveLines(t, func(c net.Conn, r *bufio.Reader) {
		_, _ = io.WriteString(c, "+OK hello\r\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			said <- strings.TrimSpace(line)
			_, _ = io.WriteString(c, "+OK\r\n")
		}
	})
	script := &load.Script{
		Begin: []load.Step{{Hear: load.Status("+OK")}, {Say: "USER u{n}\r\n", Hear: load.Status("+OK")}},
		Loop:  []load.Step{{Say: "STAT\r\n", Hear: load.Status("+OK")}, {Say: "NOOP\r\n", Hear: load.Status("+OK")}},
	}
	res, err := load.Run(t.Context(), load.Plan{Target: target, Conversation: script, Requests: 3})
	if err != nil || res.Replies != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	close(said)
	var all []string
	for line := range said {
		all = append(all, line)
	}
	if got := strings.Join(all, " "); got != "USER u1 STAT NOOP STAT NOOP STAT NOOP" {
		t.Errorf("the server heard %q", got)
	}
}

func TestScriptHearsWrong(t *testing.T) {
	target := serveLines(t, func(c net.Conn, r *bufio.Reader) {
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, "+OK\r\n")
	})
	script := &load.Script{Loop: []load.Step{{Say: "STAT 1\r\n", Hear: load.Status("+OK 7")}}}
	res, err := load.Run(t.Context(), load.Plan{Target: target, Conversation: script, Requests: 1})
	if err != nil || res.Errors[load.Wrong] != 1 || res.Examples[load.Wrong] != `wrong answer: "+OK", not "+OK 7" to "STAT"` {
		t.Errorf("%+v, %v", res, err)
	}
}

// A login that is always refused is an end, too.
func TestScriptThatNeverBegins(t *testing.T) {
	target := serveLines(t, func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "-ERR go away\r\n") })
	script := &load.Script{Begin: []load.Step{{Hear: load.Status("+OK")}}, Loop: []load.Step{{Say: "STAT\r\n", Hear: load.Status("+OK")}}}
	res, err := load.Run(t.Context(), load.Plan{Target: target, Conversation: script, Requests: 3})
	if err != nil || res.Replies != 0 || res.Errors[load.Wrong] < 3 {
		t.Errorf("%+v, %v", res, err)
	}
}

// serveLines serves f and gives the endpoint.
func serveLines(t *testing.T, f func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		f(c, bufio.NewReader(c))
		return nil
	})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return "tcp:" + l.Addr().String()
}
