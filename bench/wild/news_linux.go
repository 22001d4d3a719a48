package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/farend-go/farend/proto/nntp"
)

// newsGroup is the group of all rows.
const newsGroup = "local.test"

// newsRows are articles in and out, and the overview of many.
func (l *lab) newsRows() []row {
	in, posts, out, rows := 5000, 2000, 1000, 100_000
	if l.quick {
		in, posts, out, rows = 100, 50, 50, 200
	}
	keeps := farend("nntp", "--data", "DIR/data")
	keeps.name = "farend, durable"
	memory := farend("nntp")
	memory.name = "farend, in memory"
	var next atomic.Int64
	filled := func(ours server, count, size int) []server {
		return []server{filledNews(ours, count, size), filledNews(server{"INN", "innd", startINN}, count, size)}
	}
	fetch := func(times int) func(context.Context, *lab, *site) error {
		return func(ctx context.Context, _ *lab, s *site) error { return fetchNews(ctx, s, out, times) }
	}
	over := func(compress bool) func(context.Context, *lab, *site) error {
		return func(ctx context.Context, _ *lab, s *site) error { return overNews(ctx, s, rows, compress) }
	}
	return []row{
		{
			name: "nntp, 4 KiB by CHECK and TAKETHIS", unit: "article", units: float64(in), scale: 1e6,
			servers: []server{keeps, memory, {"INN", "innd", startINN}},
			work: func(ctx context.Context, _ *lab, s *site) error {
				return feedNews(ctx, s, int(next.Add(int64(in)))-in, in, 4096)
			},
		},
		{
			name: "nntp, POST of 4 KiB, 16 connections", unit: "article", units: float64(posts), scale: 1e6,
			servers: []server{keeps, memory, {"INN", "innd", startINN}},
			work: func(ctx context.Context, _ *lab, s *site) error {
				return postNews(ctx, s, int(next.Add(int64(posts)))-posts, posts, 16, 4096)
			},
		},
		{name: "nntp, ARTICLE of 4 KiB, pipelined", unit: "article", units: float64(20 * out), scale: 1e6, servers: filled(keeps, out, 4096), work: fetch(20)},
		{name: fmt.Sprintf("nntp, OVER of %d", rows), unit: "row", units: float64(rows), scale: 1e6, servers: filled(keeps, rows, 300), work: over(false)},
		{name: fmt.Sprintf("nntp, OVER of %d, compressed", rows), unit: "row", units: float64(rows), scale: 1e6, servers: filled(keeps, rows, 300), work: over(true)},
	}
}

// filledNews is a server with articles in it before the first run.
func filledNews(sv server, count, size int) server {
	begin := sv.start
	sv.start = func(ctx context.Context, l *lab, dir string) (*site, error) {
		s, err := begin(ctx, l, dir)
		if err != nil {
			return nil, err
		}
		if err := feedNews(ctx, s, 0, count, size); err != nil {
			s.stop()
			return nil, fmt.Errorf("filling: %w", err)
		}
		return s, nil
	}
	return sv
}

// dialNews opens a session with the part of a server that feeds, or reads.
func dialNews(ctx context.Context, s *site, part string) (*nntp.Client, error) {
	address := s.at[part]
	if address == "" {
		address = s.at["address"]
	}
	return nntp.Dial(ctx, "tcp:"+address, nntp.Options{NoReader: part == "transfer", Window: 128})
}

func feedNews(ctx context.Context, s *site, first, count, size int) error {
	c, err := dialNews(ctx, s, "transfer")
	if err != nil {
		return err
	}
	defer c.Close()
	body := newsBody(size)
	offers := func(yield func(nntp.Offer) bool) {
		for n := range count {
			id := fmt.Sprintf("<%d@bench.example>", first+n)
			open := func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("Path: x!y\r\nFrom: Ann <ann@bench.example>\r\nNewsgroups: " + newsGroup + "\r\nSubject: article " + id[1:len(id)-1] +
					"\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: " + id + "\r\n\r\n" + body)), nil
			}
			if !yield(nntp.Offer{ID: id, Open: open}) {
				return
			}
		}
	}
	for fed, err := range c.Feed(ctx, offers) {
		if err != nil {
			return fmt.Errorf("%s: %w", fed.ID, err)
		}
	}
	return c.Quit(ctx)
}

// newsBody is what an article of a size has behind its header.
func newsBody(size int) string {
	return strings.Repeat(strings.Repeat("x", 70)+"\r\n", max(1, (size-200)/72))
}

// postNews posts over several connections at once, each of which waits for each
// answer, as POST does.
func postNews(ctx context.Context, s *site, first, count, connections, size int) error {
	body := newsBody(size)
	var next atomic.Int64
	errs := make([]error, connections)
	var all sync.WaitGroup
	for k := range errs {
		all.Go(func() {
			c, err := dialNews(ctx, s, "readers")
			if err != nil {
				errs[k] = err
				return
			}
			defer c.Close()
			for {
				n := int(next.Add(1)) - 1
				if n >= count {
					errs[k] = c.Quit(ctx)
					return
				}
				text := fmt.Sprintf("From: Ann <ann@bench.example>\r\nNewsgroups: %s\r\nSubject: article %d\r\nMessage-ID: <p%d@bench.example>\r\n\r\n%s", newsGroup, first+n, first+n, body)
				if _, err := c.Post(ctx, strings.NewReader(text)); err != nil {
					errs[k] = err
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func fetchNews(ctx context.Context, s *site, count, times int) error {
	c, err := dialNews(ctx, s, "readers")
	if err != nil {
		return err
	}
	defer c.Close()
	g, err := c.Group(ctx, newsGroup)
	if err != nil {
		return err
	}
	if g.Count < int64(count) {
		return fmt.Errorf("%d articles", g.Count)
	}
	var refs []nntp.Ref
	for n := range count {
		refs = append(refs, nntp.ByNumber(int64(n+1)))
	}
	for range times {
		for b, err := range c.Fetch(ctx, refs...) {
			if err != nil {
				return err
			}
			n, err := io.Copy(io.Discard, b)
			if err != nil {
				return err
			}
			if n < 3000 {
				return fmt.Errorf("an article of %d bytes", n)
			}
		}
	}
	return c.Quit(ctx)
}

func overNews(ctx context.Context, s *site, count int, compress bool) error {
	c, err := dialNews(ctx, s, "readers")
	if err != nil {
		return err
	}
	defer c.Close()
	if compress {
		if err := c.Compress(ctx); err != nil {
			return err
		}
	}
	if _, err := c.Group(ctx, newsGroup); err != nil {
		return err
	}
	n := 0
	for _, err := range c.CmdLines(ctx, "OVER", "1-") {
		if err != nil {
			return err
		}
		n++
	}
	if n != count {
		return fmt.Errorf("%d rows", n)
	}
	return c.Quit(ctx)
}

// startINN runs innd for transfer and nnrpd for readers, as the user news.
func startINN(ctx context.Context, l *lab, _ string) (*site, error) {
	dir, err := os.MkdirTemp(l.dir, "i") // its sockets want a short path
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	transfer, err := freePort()
	if err != nil {
		return nil, err
	}
	readers, err := freePort()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"etc", "db", "log", "run", "tmp", "http", "spool/articles", "spool/overview", "spool/incoming/bad", "spool/incoming/tmp", "spool/outgoing", "spool/archive", "spool/innfeed"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{
		"etc/inn.conf": fmt.Sprintf("mta: \"/bin/true\"\npathhost: inn.example\ndomain: inn.example\nfromhost: inn.example\nserver: 127.0.0.1\n"+
			"pathnews: /usr/lib/news\npathetc: %[1]s/etc\npathdb: %[1]s/db\npathlog: %[1]s/log\npathrun: %[1]s/run\npathtmp: %[1]s/tmp\npathspool: %[1]s/spool\npathhttp: %[1]s/http\n"+
			"ovmethod: tradindexed\nhismethod: hisv6\nenableoverview: true\nartcutoff: 0\nnnrpdloadlimit: 0\nnnrpdposthost: 127.0.0.1\nnnrpdpostport: %[2]s\nport: %[2]s\nbindaddress: 127.0.0.1\nbindaddress6: none\nstatus: 0\nrlimitnofile: -1\n", dir, transfer),
		"etc/storage.conf": "method tradspool { newsgroups: * class: 0 }\n", "etc/newsfeeds": "ME:!*::\n", "etc/nocem.ctl": "", "etc/passwd.nntp": "",
		"etc/incoming.conf": "streaming: true\nmax-connections: 50\npeer me { hostname: \"127.0.0.1\" }\n",
		"etc/readers.conf":  "auth all { hosts: \"*\" default: \"<anonymous>\" }\naccess all { users: \"*\" newsgroups: \"*\" access: \"RPNA\" }\n",
		"etc/expire.ctl":    "/remember/:11\n*:A:1:10:never\n", "etc/control.ctl": "", "etc/moderators": "", "etc/subscriptions": "", "etc/distrib.pats": "",
		"db/active":     "control 0000000000 0000000001 n\ncontrol.cancel 0000000000 0000000001 n\njunk 0000000000 0000000001 n\n" + newsGroup + " 0000000000 0000000001 y\n",
		"db/newsgroups": newsGroup + "\tTest\n", "db/active.times": "", "db/history": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := client(ctx, "chown", "-R", "news:news", dir); err != nil {
		return nil, err
	}
	script := fmt.Sprintf("cd %[1]s/db && /usr/lib/news/bin/makedbz -i -o -s 300000; /usr/lib/news/bin/nnrpd -D -f -b 127.0.0.1 -p %[3]s -c %[1]s/etc/readers.conf 2>../log/nnrpd & cd %[1]s/db; exec /usr/lib/news/bin/innd -d -P %[2]s 2>../log/innd", dir, transfer, readers)
	cmd := exec.CommandContext(ctx, find("setpriv"), "--reuid", "news", "--regid", "news", "--clear-groups", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "INNCONF="+filepath.Join(dir, "etc/inn.conf"))
	p, err := start(cmd)
	if err != nil {
		return nil, err
	}
	s := &site{process: p, at: map[string]string{"transfer": "127.0.0.1:" + transfer, "readers": "127.0.0.1:" + readers}}
	if err := errors.Join(listens(ctx, p, s.at["transfer"]), listens(ctx, p, s.at["readers"])); err != nil {
		p.stop()
		return nil, err
	}
	return s, nil
}
