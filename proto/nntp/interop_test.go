//go:build interop

package nntp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/nntp/nntptest"
)

// both runs a test on each engine.
func both(t *testing.T, o nntptest.Options, f func(t *testing.T, s *nntptest.Server, host, port string)) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			o.Engine = engine()
			s := nntptest.New(t, o)
			host, port, err := net.SplitHostPort(s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			f(t, s, host, port)
		})
	}
}

// nntplibEvery calls every method of Python's nntplib.
const nntplibEvery = `
import datetime, io, nntplib, ssl, sys
host, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl._create_unverified_context()
n = nntplib.NNTP_SSL(host, port, ssl_context=context, readermode=True) if mode == "tls" else nntplib.NNTP(host, port, readermode=True)
n.set_debuglevel(0)
assert n.getwelcome() == "200 NNTP server ready, posting allowed", n.getwelcome()
assert n.nntp_version == 2 and n.nntp_implementation == "farend", n.nntp_version
caps = n.getcapabilities()
for label in "READER OVER HDR LIST NEWNEWS POST AUTHINFO".split():
    assert label in caps, (label, caps)
if mode == "starttls":
    assert "STARTTLS" in caps
    n.starttls(context)
    caps = n.getcapabilities()
assert ("STARTTLS" in caps) == (mode == "clear"), caps
article = b"From: Ann <ann@far.example>\r\nNewsgroups: local.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <py@far.example>\r\n\r\n.dot\r\nend\r\n"
try:
    n.post(io.BytesIO(article))
    sys.exit("posted without a login")
except nntplib.NNTPTemporaryError as e:
    assert e.response.startswith("480"), e
try:
    n.login("user", "wrong", usenetrc=False)
    sys.exit("a wrong password")
except nntplib.NNTPTemporaryError as e:
    assert e.response.startswith("481"), e
n.login("user", "password", usenetrc=False)
caps = n.getcapabilities()
assert "AUTHINFO" not in caps and "STREAMING" in caps, caps
resp, count, first, last, name = n.group("local.test")
assert (count, first, last, name) == (3, 1, 3, "local.test"), resp
resp, overviews = n.over((1, 3))
assert [o[1]["subject"] for o in overviews] == ["article 1", "article 2", "article 3"], overviews
assert overviews[0][1]["xref"] == "news.example local.test:1" and overviews[0][1][":lines"], overviews[0]
assert n.over("<2@far.example>")[1][0][1]["from"] == "Ann <ann@far.example>"
assert n.over((2, None))[1][0][0] == 2
assert len(n.xover(1, 2)[1]) == 2
resp, number, id = n.stat("2")
assert (number, id) == (2, "<2@far.example>"), resp
assert n.next()[1:] == (3, "<3@far.example>")
assert n.last()[1:] == (2, "<2@far.example>")
resp, info = n.article("1")
assert info.message_id == "<1@far.example>" and b"Subject: article 1" in info.lines and info.lines[-1] == b".", info
assert b"Xref: news.example local.test:1" in n.head("1")[1].lines
out = io.BytesIO()
resp, info = n.body("<1@far.example>", file=out)
assert info.number == 0 and out.getvalue().startswith(b"0.\r\n.\r\n"), out.getvalue()[:20]
resp, values = n.xhdr("subject", "1-3")
assert values == [("1", "article 1"), ("2", "article 2"), ("3", "article 3")], values
assert n.xhdr("subject", "<1@far.example>")[1] == ["<1@far.example> article 1"]
resp, groups = n.list()
assert groups == [("local.test", "3", "1", "y"), ("local.two", "0", "1", "y")], groups
assert [g.group for g in n.list("*.two")[1]] == ["local.two"]
assert n.description("local.test") == "about local.test"
assert n.descriptions("local.*")[1] == {"local.test": "about local.test", "local.two": "about local.two"}
old, future = datetime.datetime(2000, 1, 1), datetime.datetime.now() + datetime.timedelta(days=2)
assert len(n.newgroups(old)[1]) == 2 and n.newgroups(future)[1] == []
assert n.newnews("local.*", old)[1] == ["<1@far.example>", "<2@far.example>", "<3@far.example>"]
assert n.newnews("none.*", old)[1] == []
assert abs((n.date()[1] - datetime.datetime.utcnow()).total_seconds()) < 60
assert any("XPAT" in line for line in n.help()[1])
assert n.post(io.BytesIO(article)).startswith("240"), "post"
assert nntplib.decode_header(n.over((4, 4))[1][0][1]["subject"]) == "Gr\u00fc\u00dfe"
assert n.body("4")[1].lines == [b".dot", b"end"]
for bad in (lambda: n.post(io.BytesIO(article)), lambda: n.group("none.such"), lambda: n.stat("99"), lambda: n.slave(), lambda: n.article("<none@x>"),
            lambda: n.ihave("<py@far.example>", io.BytesIO(article)), lambda: n.over((9, 9))):
    try:
        bad()
        sys.exit("not refused")
    except nntplib.NNTPError:
        pass
sent = b"Path: far!x\r\nDate: 6 Oct 1998 04:38:40 -0500\r\n" + article.replace(b"<py@", b"<ih@")
assert n.ihave("<ih@far.example>", io.BytesIO(sent)).startswith("235")
assert n.quit().startswith("205")
print("done")
`

func TestTutorial72_NntplibAtOurServer(t *testing.T) {
	python := foreign.Python(t, 3, "nntplib")
	if exec.Command(python, "-W", "ignore", "-c", "import nntplib").Run() != nil {
		t.Skip("this Python has no nntplib, which 3.13 removed")
	}
	articles, _ := some(3)
	for _, mode := range []string{"clear", "starttls", "tls"} {
		o := nntptest.Options{Groups: []string{nntptest.Group, "local.two"}, Articles: articles, Login: true, Implicit: mode == "tls"}
		both(t, o, func(t *testing.T, s *nntptest.Server, host, port string) {
			if out := foreign.Run(t, t.TempDir(), python, "-W", "ignore", "-c", nntplibEvery, host, port, mode); !strings.Contains(out, "done") {
				t.Errorf("%s: %s", mode, out)
			}
			if t.Failed() {
				return
			}
			if got := s.Wait(within(t), "<ih@far.example>"); !strings.Contains(got, "\r\n\r\n.dot\r\nend\r\n") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestTutorial72_SlrnpullAtOurServer(t *testing.T) {
	slrnpull := foreign.Program(t, "slrnpull")
	articles, _ := some(20)
	both(t, nntptest.Options{Articles: articles}, func(t *testing.T, s *nntptest.Server, host, port string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "slrnpull.conf"), []byte("local.test 100 0\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "out.going"), 0o755); err != nil {
			t.Fatal(err)
		}
		post := "From: Ann <ann@far.example>\nNewsgroups: local.test\nSubject: by slrnpull\nMessage-ID: <slrn@far.example>\n\nx\n"
		if err := os.WriteFile(filepath.Join(dir, "out.going", "X1"), []byte(post), 0o644); err != nil {
			t.Fatal(err)
		}
		out := foreign.Run(t, dir, "env", "NNTPSERVER="+host, slrnpull, "-d", dir, "-h", host+":"+port, "--logfile", "/dev/stdout")
		whole := s.Articles(nntptest.Group)
		got, err := os.ReadFile(filepath.Join(dir, "news", "local", "test", "7"))
		if err != nil || string(got) != strings.ReplaceAll(whole[6], "\r\n", "\n") {
			t.Errorf("%d bytes, %v\n%s", len(got), err, out)
		}
		s.Wait(within(t), "<slrn@far.example>")
	})
}

func TestOpensslAtOurServer(t *testing.T) {
	openssl := foreign.Program(t, "openssl")
	both(t, nntptest.Options{}, func(t *testing.T, s *nntptest.Server, _, _ string) {
		cmd := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", s.Addr, "-starttls", "nntp", "-crlf", "-quiet")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte("DATE\nQUIT\n")); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.CombinedOutput() // it ends when the server hangs up
		if err != nil || !strings.Contains(string(out), "\n111 20") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// inn is a directory with what INN's programs want to know; conf is what their
// environment has of it.
func inn(t *testing.T, more string) (dir, conf string) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/news/bin/innd"); err != nil {
		t.Skip("inn2 is not installed")
	}
	dir = foreign.Dir(t)
	for _, name := range []string{"etc", "db", "log", "run", "tmp", "http", "spool/articles", "spool/overview", "spool/incoming/bad", "spool/incoming/tmp", "spool/outgoing", "spool/archive", "spool/innfeed"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	foreign.Write(t, dir, map[string]string{
		"etc/storage.conf": "method tradspool { newsgroups: * class: 0 }\n",
		"etc/inn.conf": fmt.Sprintf(`mta: "/bin/true"
pathhost: inn.example
domain: inn.example
fromhost: inn.example
server: 127.0.0.1
pathnews: /usr/lib/news
pathetc: %[1]s/etc
pathdb: %[1]s/db
pathlog: %[1]s/log
pathrun: %[1]s/run
pathtmp: %[1]s/tmp
pathspool: %[1]s/spool
pathhttp: %[1]s/http
ovmethod: tradindexed
hismethod: hisv6
enableoverview: true
artcutoff: 0
nnrpdloadlimit: 0
%[2]s`, dir, more),
	})
	return dir, "INNCONF=" + filepath.Join(dir, "etc/inn.conf")
}

// asNews are the arguments of env(1) for a command that runs as the user news,
// who alone may run INN's programs.
func asNews(t *testing.T, dir, conf string, args ...string) []string {
	t.Helper()
	runuser := foreign.Program(t, "runuser")
	foreign.NeedRoot(t)
	foreign.Run(t, dir, "chown", "-R", "news:news", dir)
	return append([]string{conf, runuser, "-u", "news", "--"}, args...)
}

func TestTutorial72_INNsClientsAtOurServer(t *testing.T) {
	articles, ids := some(3)
	both(t, nntptest.Options{Articles: articles}, func(t *testing.T, s *nntptest.Server, host, port string) {
		dir, conf := inn(t, "")
		out := foreign.Run(t, dir, "env", conf, "/usr/lib/news/bin/getlist", "-h", host, "-p", port, "active")
		if !strings.Contains(out, "local.test 0000000003 0000000001 y") && !strings.Contains(out, "local.test 3 1 y") {
			t.Errorf("getlist: %s", out)
		}
		if out := foreign.Run(t, dir, "env", conf, "/usr/lib/news/bin/getlist", "-h", host, "-p", port, "newsgroups"); !strings.Contains(out, "about local.test") {
			t.Errorf("getlist: %s", out)
		}
		if inews, err := exec.LookPath("inews"); err == nil {
			file := filepath.Join(dir, "article")
			foreign.Write(t, dir, map[string]string{"article": "From: a@far.example\nNewsgroups: local.test\nSubject: inews\nMessage-ID: <inews@far.example>\n\nx\n"})
			foreign.Run(t, dir, "env", conf, inews, "-h", "-p", port, file)
			s.Wait(within(t), "<inews@far.example>")
		}
		var batch strings.Builder
		for i, id := range append(ids[:1:1], "<x1@far.example>", "<x2@far.example>", "<x3@far.example>") {
			name := fmt.Sprint("x", i)
			foreign.Write(t, dir, map[string]string{name: nntptest.Article(id, nntptest.Group, "by innxmit", "x\n.y\n")})
			fmt.Fprintf(&batch, "%s %s\n", filepath.Join(dir, name), id)
		}
		file := filepath.Join(dir, "spool/outgoing/batch")
		foreign.Write(t, dir, map[string]string{"spool/outgoing/batch": batch.String()})
		out = foreign.Run(t, dir, "env", asNews(t, dir, conf, "/usr/lib/news/bin/innxmit", "-d", "-P", port, host, file)...)
		for _, id := range []string{"<x1@far.example>", "<x2@far.example>", "<x3@far.example>"} {
			if _, err := s.News.ByID(t.Context(), id); err != nil {
				t.Errorf("innxmit did not bring %s: %v\n%s", id, err, out)
			}
		}
	})
}
