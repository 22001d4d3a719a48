//go:build interop

package nntp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/nntp/nntptest"
)

// innd starts INN, for transfer and for readers.
func innd(t *testing.T) (transfer, readers string) {
	t.Helper()
	var dir, conf string
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command("env", asNews(t, dir, conf, args...)...)
		cmd.Dir = filepath.Join(dir, "db")
		return cmd
	}
	transfer = foreign.Serve(t, func(port string) *exec.Cmd {
		dir, conf = inn(t, "port: "+port+"\nbindaddress: 127.0.0.1\nbindaddress6: none\nnnrpdposthost: 127.0.0.1\nnnrpdpostport: "+port+"\nicdsynccount: 1\nstatus: 0\nrlimitnofile: -1\n")
		foreign.Write(t, dir, map[string]string{
			"etc/newsfeeds": "ME:!*::\n", "etc/nocem.ctl": "", "etc/passwd.nntp": "",
			"etc/incoming.conf": "streaming: true\nmax-connections: 50\npeer me { hostname: \"127.0.0.1\" }\n",
			"etc/readers.conf":  "auth all { hosts: \"*\" default: \"<anonymous>\" }\naccess all { users: \"*\" newsgroups: \"*\" access: \"RPNA\" }\n",
			"etc/expire.ctl":    "/remember/:11\n*:A:1:10:never\n", "etc/control.ctl": "", "etc/moderators": "", "etc/subscriptions": "", "etc/distrib.pats": "",
			"db/active":     "control 0000000000 0000000001 n\ncontrol.cancel 0000000000 0000000001 n\njunk 0000000000 0000000001 n\nlocal.test 0000000000 0000000001 y\n",
			"db/newsgroups": "local.test\tTest group\n", "db/active.times": "", "db/history": "",
		})
		foreign.Run(t, dir, "env", asNews(t, dir, conf, "sh", "-c", "cd "+dir+"/db && /usr/lib/news/bin/makedbz -i -o -s 30000")...)
		return command("/usr/lib/news/bin/innd", "-d", "-P", port)
	})
	readers = foreign.Serve(t, func(port string) *exec.Cmd {
		return command("/usr/lib/news/bin/nnrpd", "-D", "-f", "-b", "127.0.0.1", "-p", port, "-c", filepath.Join(dir, "etc/readers.conf"))
	})
	return transfer, readers
}

func TestTutorial72_OurClientAtINN(t *testing.T) {
	transfer, readers := innd(t)
	ctx := within(t)
	feed(ctx, t, transfer)
	c, err := nntp.Dial(ctx, "tcp:127.0.0.1:"+readers, nntp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := c.Post(ctx, strings.NewReader("From: a@far.example\nNewsgroups: local.test\nSubject: posted\n\n.dot\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(ctx, auth.Credentials{User: "nobody", Password: "wrong"}); err == nil {
		t.Error("a login that nobody has")
	}
	read(ctx, t, c, id)
	if err := c.Compress(ctx); err != nil {
		t.Logf("COMPRESS: %v", err)
	} else {
		read(ctx, t, c, id)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
}

// feed feeds innd, twice: what it has it does not want.
func feed(ctx context.Context, t *testing.T, port string) {
	t.Helper()
	articles, ids := some(30)
	offers := func(yield func(nntp.Offer) bool) {
		for i, id := range ids {
			text := articles[i]
			open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
			if !yield(nntp.Offer{ID: id, Open: open}) {
				return
			}
		}
	}
	for round := range 2 {
		c, err := nntp.Dial(ctx, "tcp:127.0.0.1:"+port, nntp.Options{NoReader: true})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for f, err := range c.Feed(ctx, offers) {
			n++
			if round == 0 && (err != nil || !f.Sent) || round == 1 && !errors.Is(err, nntp.ErrNotWanted) {
				t.Errorf("round %d, %s: sent %t, %v", round, f.ID, f.Sent, err)
			}
		}
		if n != len(ids) {
			t.Errorf("round %d: %d came back", round, n)
		}
		if err := c.Quit(ctx); err != nil {
			t.Error(err)
		}
	}
}

// read reads all that was fed and posted, by every method.
func read(ctx context.Context, t *testing.T, c *nntp.Client, posted string) {
	t.Helper()
	g, numbers, err := c.ListGroup(ctx, nntptest.Group, nntp.From(0))
	if err != nil || len(numbers) != 31 || g.Count != 31 {
		t.Fatal(g, numbers, err)
	}
	var refs []nntp.Ref
	for o, err := range c.Over(ctx, nntp.From(1)) {
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, nntp.ByNumber(o.Number))
		if x, ok := o.Get("Xref"); !ok || !strings.Contains(x, fmt.Sprint("local.test:", o.Number)) {
			t.Errorf("%+v", o)
		}
	}
	n := 0
	for b, err := range c.Fetch(ctx, append(slices.Clone(refs), nntp.ByNumber(999))...) {
		if err != nil {
			if !errors.Is(err, nntp.ErrNoArticle) || n != 31 {
				t.Error(err)
			}
			continue
		}
		text, err := io.ReadAll(b)
		if err != nil || !strings.HasSuffix(string(text), "\r\n") {
			t.Errorf("%s: %d bytes, %v", b.ID, len(text), err)
		}
		n++
	}
	if h, err := c.Head(ctx, nntp.ByID(posted)); err != nil || h.Subject() != "posted" {
		t.Errorf("%s: %v, %v", posted, h.Subject(), err)
	}
	if v, err := c.HdrID(ctx, "Subject", posted); err != nil || v != "posted" {
		t.Error(v, err)
	}
	if n, f, err := counted(c.Hdr(ctx, ":bytes", nntp.From(1))); err != nil || n != 31 || f.Value == "" {
		t.Error(n, f, err)
	}
	if n, f, err := counted(c.XPat(ctx, "Subject", nntp.From(1), "*[Pp]ost*")); err != nil || n != 1 || f.Value != "posted" {
		t.Error(n, f, err)
	}
	if _, err := c.Next(ctx); err != nil && !errors.Is(err, nntp.ErrNoArticle) {
		t.Error(err)
	}
	if n, d, err := counted(c.ListDescriptions(ctx, nntp.Wildmat{{Text: "local.*"}})); err != nil || n != 1 || d.Description != "Test group" {
		t.Error(n, d, err)
	}
	if n, g, err := counted(c.ListCounts(ctx, nntp.Wildmat{{Text: "local.*"}})); err != nil || n != 1 || g.Count != 31 {
		t.Error(n, g, err)
	}
	if now, err := c.Date(ctx); err != nil || time.Since(now).Abs() > time.Hour {
		t.Error(now, err)
	}
	if n, _, err := counted(c.NewNews(ctx, nntp.Wildmat{{Text: "*"}}, time.Now().Add(-time.Hour))); err != nil && !errors.Is(err, nntp.ErrNotAllowed) || err == nil && n != 31 {
		t.Error(n, err)
	}
}
