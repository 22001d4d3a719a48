package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
	"github.com/farend-go/farend/proto/xmlrpc"
	"github.com/farend-go/farend/server"
)

// benchCase is a bench of so many requests and what comes of it.
type benchCase struct {
	args    string
	code    int
	replies int
	says    string // on stderr
}

func (c benchCase) run(t *testing.T) {
	t.Helper()
	code, out, errs := bench(t.Context(), append([]string{"--json", "-n", "4", "--timeout", "20s"}, strings.Fields(c.args)...)...)
	var got struct{ Replies int }
	if out != "" {
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
	}
	if code != c.code || got.Replies != c.replies || !strings.Contains(errs, c.says) {
		t.Errorf("%s: exit %d, %d replies, %q; want %d, %d, %q", c.args, code, got.Replies, errs, c.code, c.replies, c.says)
	}
}

func TestBenchHTTP(t *testing.T) {
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/fixed", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" && r.URL.RawQuery != "a=b" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, "hello")
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "piece")
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/counts", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, asked.Add(1)%2+9) }) // 9 and 10 in turn
	mux.HandleFunc("/closes", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "bye")
	})
	mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "x:y" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	clear, secure := httptest.NewServer(mux), httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it hears of a client that does not trust it
	secure.StartTLS()
	defer clear.Close()
	defer secure.Close()
	for _, c := range []benchCase{
		{clear.URL + "/fixed", 0, 4, ""},
		{clear.URL + "/fixed?a=b#c -c 3", 0, 4, ""},
		{clear.URL + "/fixed --expect hello", 0, 4, ""},
		{clear.URL + "/fixed --expect same", 0, 4, ""},
		{clear.URL + "/fixed --expect hell", 1, 0, "another body"},
		{clear.URL + "/fixed --expect hello+", 1, 0, "a body of 5 bytes, not 6"},
		{clear.URL + "/fixed --send x", 2, 0, "no meaning"},
		{clear.URL + "/chunked --expect piecepiecepiece", 0, 4, ""},
		{clear.URL + "/empty", 0, 4, ""},
		{clear.URL + "/counts", 0, 4, ""},
		{clear.URL + "/closes --reconnect --expect bye", 0, 4, ""},
		{clear.URL + "/closes", 0, 2, ""},
		{clear.URL + "/closes -n 1", 0, 1, ""},
		{clear.URL + "/none", 1, 0, "404 Not Found"},
		{clear.URL + "/secret", 1, 0, "401 Unauthorized"},
		{strings.Replace(clear.URL, "//", "//ann:x%3Ay@", 1) + "/secret", 0, 4, ""},
		{clear.URL + "/secret -u ann:x:y", 0, 4, ""},
		{clear.URL + "/secret -u ann", 2, 0, "want NAME:PASSWORD"},
		{secure.URL + "/fixed -k --expect hello", 0, 4, ""},
		{secure.URL + "/fixed", 1, 0, "certificate"},
		{"http://ann:secret@[::1/", 2, 0, "the URL cannot be read"},
		{"http:///x", 2, 0, "no host"},
	} {
		c.run(t)
	}
	code, out, _ := bench(t.Context(), "-n", "4", "--expect", "same", clear.URL+"/counts")
	if code != 0 || !strings.Contains(out, "wrong answer 2") {
		t.Errorf("a page that changes: exit %d, %s", code, out)
	}
}

func TestBenchFTP(t *testing.T) {
	o := ftptest.Options{Files: map[string]string{"a": "hello", "empty": ""}}
	plain := ftptest.New(t, o)
	o.Implicit = true
	secure := ftptest.New(t, o)
	for _, c := range []benchCase{
		{"ftp://" + plain.Addr + "/a", 0, 4, ""},
		{"ftp://" + plain.Addr + "/a --reconnect", 0, 4, ""},
		{"ftp://" + plain.Addr, 0, 4, ""},
		{"ftp://" + plain.Addr + "/none", 1, 0, `to "RETR none"`},
		{"ftp://" + plain.Addr + "/empty", 1, 0, "an empty file"},
		{"ftp://ann:wrong@" + plain.Addr, 1, 0, "to PASS"},
		{"ftp://" + plain.Addr + " -u " + ftptest.User + ":" + ftptest.Password, 0, 4, ""},
		{"ftp://" + plain.Addr + "/a%0d%0aDELE", 2, 0, "line end"},
		{"ftps://" + secure.Addr + "/a -k", 0, 4, ""},
		{"ftps://" + secure.Addr + "/a", 1, 0, "certificate"},
	} {
		c.run(t)
	}
}

func TestBenchGopher(t *testing.T) {
	at := servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		line, err := bufio.NewReader(c).ReadString('\n')
		answer := map[string]string{"\r\n": "0a\t/a\th\t70\r\n.\r\n", "/a\r\n": "3 is a number\n" + strings.Repeat("x", 9000), "/no\r\n": "3no\t\terror.host\t1\r\n.\r\n"}[line]
		if err == nil {
			_, err = io.WriteString(c, answer)
		}
		return err
	})})
	for _, c := range []benchCase{
		{"gopher://" + at, 0, 4, ""},
		{"gopher://" + at + "/0/a", 0, 4, ""},
		{"gopher://" + at + "/0/no", 1, 0, "wrong answer"},
		{"gopher://" + at + "/0/empty", 1, 0, "EOF"},
		{"gopher://" + at + "/0a%0d%0ab", 2, 0, "no selector"},
		{"gopher://" + at + " --send x", 2, 0, "no meaning"},
		{"daytime://" + at, 2, 0, "no conversation for it"},
	} {
		c.run(t)
	}
}

// scripted is a server that greets, answers each line by what it begins with,
// and notes the lines. A line of "354" is followed by a message.
type scripted struct {
	greeting string
	answers  map[string]string
	mu       sync.Mutex
	heard    []string
}

func (s *scripted) serve(t *testing.T) string {
	return servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		_, err := io.WriteString(c, s.greeting+"\r\n")
		inText := false
		for r := bufio.NewScanner(c); err == nil && r.Scan(); {
			line := r.Text()
			s.mu.Lock()
			s.heard = append(s.heard, line)
			s.mu.Unlock()
			if inText {
				if line == "." {
					_, err = io.WriteString(c, "250 kept\r\n")
					inText = false
				}
				continue
			}
			answer := "500 what?"
			for begins, a := range s.answers {
				if strings.HasPrefix(line, begins) {
					answer = a
				}
			}
			inText = answer == "354"
			_, err = io.WriteString(c, strings.ReplaceAll(answer, "\n", "\r\n")+"\r\n")
		}
		return err
	})})
}

func TestBenchMailAndNews(t *testing.T) {
	smtp := &scripted{greeting: "220-here\r\n220 I am", answers: map[string]string{
		"EHLO ": "250-here\n250 AUTH PLAIN", "LHLO ": "250 here", "AUTH PLAIN AGFubgB4": "235 in", "MAIL FROM:<": "250 ok", "RCPT TO:<": "250 ok", "DATA": "354",
	}}
	pop3 := &scripted{greeting: "+OK", answers: map[string]string{"USER ": "+OK", "PASS ": "+OK", "STAT": "+OK 0 0", "UIDL": "+OK\n1 a\n."}}
	imap := &scripted{greeting: "* OK", answers: map[string]string{"a LOGIN ": "a OK", "a SELECT ": "* 0 EXISTS\na OK", "a NOOP": "a OK", "a UID SEARCH": "* SEARCH\na OK"}}
	nntp := &scripted{greeting: "200 hello", answers: map[string]string{"MODE READER": "201 hello", "LIST ACTIVE *": "215 here\nlocal.test 0 1 y\n.", "GROUP x.y": "211 0 1 0 x.y", "LISTGROUP": "211 x\n1\n.",
		"ARTICLE 1": "220 1 <1@x>\nSubject: s\n\n..\n.", "ARTICLE 2": "220 2 <2@x>\n\n.", "ARTICLE <1@x>": "220 0 <1@x>\n\n."}}
	at := map[*scripted]string{smtp: smtp.serve(t), pop3: pop3.serve(t), imap: imap.serve(t), nntp: nntp.serve(t)}
	for _, c := range []benchCase{
		{"smtp://" + at[smtp] + "/ann@example.org", 0, 4, ""},
		{"submission://" + at[smtp] + " -u ann:x --size 1KiB", 0, 4, ""},
		{"lmtp://" + at[smtp], 0, 4, ""},
		{"smtp://" + at[smtp] + " -u bob:x", 1, 0, `"500 what?", not "235" to "AUTH"`},
		{"smtp://" + at[smtp] + "/a>b", 2, 0, "the address"},
		{"smtp://" + at[smtp] + " --send x", 2, 0, "knows what to send"},
		{"pop3://" + at[pop3], 0, 4, ""},
		{"pop://" + at[pop3] + " -u ann:x", 0, 4, ""},
		{"imap://" + at[imap] + "/a%22b", 0, 4, ""},
		{"nntp://" + at[nntp], 0, 4, ""},
		{"nntp://" + at[nntp] + "/x.y", 0, 4, ""},
		{"nntp://" + at[nntp] + "/x.y/1-2", 0, 4, ""},
		{"nntp://" + at[nntp] + "/1@x", 0, 4, ""},
		{"nntp://" + at[nntp] + "/x.y/1-3", 1, 0, `to "ARTICLE"`},
		{"nntp://" + at[nntp] + "/x.y/1-", 2, 0, "a range of 1000 at most"},
		{"nntp://" + at[nntp] + "/x.y/one", 2, 0, "the URL's path"},
		{"nntp://" + at[nntp] + "/x.z", 1, 0, `to "GROUP"`},
	} {
		c.run(t)
	}
	for s, lines := range map[*scripted][]string{
		smtp: {"RCPT TO:<ann@example.org>", "To: <ann@example.org>", "Subject: from connection 1", "RCPT TO:<bench@localhost>"},
		pop3: {"USER bench1", "USER ann", "PASS x"},
		imap: {`a LOGIN "bench" "bench"`, `a SELECT "a\"b"`},
	} {
		s.mu.Lock()
		heard := strings.Join(s.heard, "\n") + "\n"
		s.mu.Unlock()
		for _, line := range lines {
			if !strings.Contains(heard, line+"\n") {
				t.Errorf("nobody said %q: %q", line, heard)
			}
		}
	}
}

func TestBenchTelnetAndRPC(t *testing.T) {
	shell := func(_ *telnet.Terminal, line string) (string, bool) { return line + "\n", true }
	term := telnettest.New(t, shell, telnettest.Options{Login: true})
	closed := telnettest.New(t, shell, telnettest.Options{Handler: func(h *telnet.Handler) {
		h.Run = func(context.Context, *telnet.Conn, string) error { return nil }
	}})
	add, err := xmlrpc.Func(func(a, b int) int { return a + b }, "")
	if err != nil {
		t.Fatal(err)
	}
	rpc := httptest.NewServer(&xmlrpc.Server{Methods: xmlrpc.Methods{"add": add}})
	defer rpc.Close()
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	for _, c := range []benchCase{
		{"telnet://" + term.Addr, 0, 4, ""},
		{"telnet://" + term.Addr + " --reconnect", 0, 4, ""},
		{"telnet://" + term.Addr + " --send x", 2, 0, "timing marks"},
		{"telnet://" + closed.Addr, 1, 0, "EOF"},
		{rpc.URL + " --as xmlrpc", 0, 4, ""},
		{rpc.URL + "/RPC2 --as xmlrpc --send add", 1, 0, "fault"},
		{rpc.URL + " --as xmlrpc --size 1", 2, 0, "--size"},
		{none.URL + " --as xmlrpc", 1, 0, "404"},
	} {
		c.run(t)
	}
	code, out, said := bench(t.Context(), rpc.URL, "--as", "xmlrpc", "--send", "add 2 3", "-n", "3", "--json")
	if code != 0 || !strings.Contains(out, `"replies":3`) {
		t.Errorf("a call with arguments: %d, %s, %s", code, out, said)
	}
	if code, _, said := bench(t.Context(), rpc.URL, "--as", "xmlrpc", "--send", " "); code != 2 || !strings.Contains(said, "METHOD") {
		t.Errorf("a call of nothing: %d, %s", code, said)
	}
}
