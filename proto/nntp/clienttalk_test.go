package nntp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/nntp"
)

// rfcTalk has RFC 3977's own examples, as they stand there.
const rfcTalk = `
S: 200 NNTP Service Ready, posting permitted
C: CAPABILITIES
S: 101 Capability list:
S: VERSION 2
S: READER
S: LIST ACTIVE NEWSGROUPS
S: .
C: GROUP misc.test
S: 211 1234 3000234 3002322 misc.test
C: STAT
S: 223 3000234 <45223423@example.com>
C: NEXT
S: 223 3000237 <668929@example.org> retrieved
C: LAST
S: 422 No previous article to retrieve
C: LISTGROUP example.empty.newsgroup
S: 211 0 0 0 example.empty.newsgroup list follows
S: .
C: LISTGROUP misc.test 3000238-3000248
S: 211 2000 3000234 3002322 misc.test list follows
S: 3000238
S: 3000239
S: 3000249
S: .
C: HEAD <45223423@example.com>
S: 221 0 <45223423@example.com>
S: Path: pathost!demo!whitehouse!not-for-mail
S: From: "Demo User" <nobody@example.net>
S: Subject: I am just a test article
S: .
C: BODY 3000234
S: 222 3000234 <45223423@example.com>
S: ..This is just a test article.
S: .
C: ARTICLE <i.am.not.there@example.com>
S: 430 No Such Article Found
C: DATE
S: 111 19990623135624
C: NEWGROUPS 19990624 000000 GMT
S: 231 list of new newsgroups follows
S: alt.rfc-writers.recovery 4 1 y
S: tx.natives.recovery 89 56 y
S: .
C: NEWNEWS news.*,sci.* 19990624 000000 GMT
S: 230 list of new articles by message-id follows
S: <i.am.a.new.article@example.com>
S: <i.am.another.new.article@example.com>
S: .
C: LIST ACTIVE *.recovery
S: 215 list of newsgroups follows
S: alt.rfc-writers.recovery 4 1 y
S: tx.natives.recovery 89 56 y
S: .
C: LIST ACTIVE.TIMES
S: 215 information follows
S: misc.test 930445408 <creatme@isc.org>
S: .
C: LIST NEWSGROUPS
S: 215 information follows
S: misc.test General Usenet testing
S: .
C: LIST OVERVIEW.FMT
S: 215 Order of fields in overview database.
S: Subject:
S: From:
S: Date:
S: Message-ID:
S: References:
S: :bytes
S: :lines
S: Xref:full
S: Distribution:full
S: .
C: OVER 3000234-3000240
S: 224 Overview information follows
S: 3000234\tI am just a test article\t"Demo User" <nobody@example.com>\t6 Oct 1998 04:38:40 -0500\t<45223423@example.com>\t<45454@example.net>\t1234\t17\tXref: news.example.com misc.test:3000363
S: 3000235\tAnother test article\tnobody@nowhere.to\t6 Oct 1998 04:38:45 -0500\t<45223425@to.to>\t\t4818\t37\t\tDistribution: fi
S: .
C: OVER 300256
S: 423 No such article in this group
C: HDR Subject 3000234-
S: 225 Headers follow
S: 3000234 I am just a test article
S: 3000237 
S: .
C: HDR Subject <45223423@example.com>
S: 225 Header information follows
S: 0 I am just a test article
S: .
C: POST
S: 340 Input article; end with <CR-LF>.<CR-LF>
C: From: "Demo User" <nobody@example.net>
C: 
C: ..dot
C: .
S: 240 Article received OK
C: IHAVE <i.am.an.article.you.have@example.com>
S: 435 Duplicate
C: QUIT
S: 205 NNTP Service exits normally
S.
`

func TestClientByTheRFC(t *testing.T) {
	t.Parallel()
	client(t, rfcTalk, nntp.Options{}, func(ctx context.Context, c *nntp.Client) error {
		if err := rfcReads(ctx, c); err != nil {
			return err
		}
		if err := rfcLists(ctx, c); err != nil {
			return err
		}
		if id, err := c.Post(ctx, strings.NewReader("From: \"Demo User\" <nobody@example.net>\n\n.dot\n")); err != nil || id != "" {
			return fmt.Errorf("POST: %q, %w", id, err)
		}
		if err := c.IHave(ctx, "<i.am.an.article.you.have@example.com>", strings.NewReader("")); !errors.Is(err, nntp.ErrNotWanted) {
			return fmt.Errorf("IHAVE: %w", err)
		}
		return c.Quit(ctx)
	})
}

func rfcReads(ctx context.Context, c *nntp.Client) error {
	if g, err := c.Group(ctx, "misc.test"); err != nil || g.Low != 3000234 || g.High != 3002322 || g.Count != 1234 {
		return fmt.Errorf("GROUP: %+v, %w", g, err)
	}
	if ref, err := c.Stat(ctx, nntp.Ref{}); err != nil || ref != (nntp.Ref{ID: "<45223423@example.com>", Number: 3000234}) {
		return fmt.Errorf("STAT: %+v, %w", ref, err)
	}
	if ref, err := c.Next(ctx); err != nil || ref.Number != 3000237 {
		return fmt.Errorf("NEXT: %+v, %w", ref, err)
	}
	if _, err := c.Last(ctx); !errors.Is(err, nntp.ErrNoArticle) {
		return fmt.Errorf("LAST: %w", err)
	}
	if _, all, err := c.ListGroup(ctx, "example.empty.newsgroup", nntp.From(0)); err != nil || len(all) != 0 {
		return fmt.Errorf("LISTGROUP: %v, %w", all, err)
	}
	if _, all, err := c.ListGroup(ctx, "misc.test", nntp.Range{First: 3000238, Last: 3000248}); err != nil || !slices.Equal(all, []int64{3000238, 3000239}) {
		return fmt.Errorf("LISTGROUP: %v, %w", all, err)
	}
	if h, err := c.Head(ctx, nntp.ByID("<45223423@example.com>")); err != nil || h.Subject() != "I am just a test article" {
		return fmt.Errorf("HEAD: %v, %w", h, err)
	}
	b, err := c.Body(ctx, nntp.ByNumber(3000234))
	if err != nil {
		return err
	}
	if _, err := c.Date(ctx); !errors.Is(err, nntp.ErrBusy) {
		return fmt.Errorf("while a body is open: %w", err)
	}
	if text, err := io.ReadAll(b); err != nil || string(text) != ".This is just a test article.\r\n" {
		return fmt.Errorf("BODY: %q, %w", text, err)
	}
	if _, err := c.Article(ctx, nntp.ByID("<i.am.not.there@example.com>")); !errors.Is(err, nntp.ErrNoArticle) {
		return fmt.Errorf("ARTICLE: %w", err)
	}
	if now, err := c.Date(ctx); err != nil || !now.Equal(time.Date(1999, 6, 23, 13, 56, 24, 0, time.UTC)) {
		return fmt.Errorf("DATE: %v, %w", now, err)
	}
	return nil
}

// counted is how many values there are, and the last of them.
func counted[T any](all func(func(T, error) bool)) (n int, last T, err error) {
	for v, err := range all {
		if err != nil {
			return n, v, err
		}
		n, last = n+1, v
	}
	return n, last, nil
}

func rfcLists(ctx context.Context, c *nntp.Client) error {
	then := time.Date(1999, 6, 24, 0, 0, 0, 0, time.UTC)
	if n, g, err := counted(c.NewGroups(ctx, then)); err != nil || n != 2 || g.Name != "tx.natives.recovery" || g.High != 89 || g.Low != 56 || g.Status != nntp.Open {
		return fmt.Errorf("NEWGROUPS: %+v, %w", g, err)
	}
	w := nntp.Wildmat{{Text: "news.*"}, {Text: "sci.*"}}
	if n, id, err := counted(c.NewNews(ctx, w, then)); err != nil || n != 2 || id != "<i.am.another.new.article@example.com>" {
		return fmt.Errorf("NEWNEWS: %v, %w", id, err)
	}
	if n, _, err := counted(c.List(ctx, nntp.Wildmat{{Text: "*.recovery"}})); err != nil || n != 2 {
		return fmt.Errorf("LIST ACTIVE: %d, %w", n, err)
	}
	if n, g, err := counted(c.ListTimes(ctx, nil)); err != nil || n != 1 || g.Creator != "<creatme@isc.org>" || g.Created.Year() != 1999 {
		return fmt.Errorf("LIST ACTIVE.TIMES: %+v, %w", g, err)
	}
	if _, g, err := counted(c.ListDescriptions(ctx, nil)); err != nil || g.Description != "General Usenet testing" {
		return fmt.Errorf("LIST NEWSGROUPS: %+v, %w", g, err)
	}
	n, o, err := counted(c.Over(ctx, nntp.Range{First: 3000234, Last: 3000240}))
	if v, ok := o.Get("distribution"); err != nil || n != 2 || v != "fi" || !ok || o.Bytes() != 4818 || o.Number != 3000235 {
		return fmt.Errorf("OVER: %+v, %w", o, err)
	}
	if n, _, err := counted(c.Over(ctx, nntp.One(300256))); err != nil || n != 0 {
		return fmt.Errorf("OVER: %d, %w", n, err)
	}
	if n, f, err := counted(c.Hdr(ctx, "Subject", nntp.From(3000234))); err != nil || n != 2 || f != (nntp.Field{Number: 3000237}) {
		return fmt.Errorf("HDR: %+v, %w", f, err)
	}
	if v, err := c.HdrID(ctx, "Subject", "<45223423@example.com>"); err != nil || v != "I am just a test article" {
		return fmt.Errorf("HDR: %q, %w", v, err)
	}
	return nil
}

// oldTalk is a server of RFC 977 and 2980, which switches by MODE READER.
const oldTalk = `
S: 201 old server
C: CAPABILITIES
S: 500 what?
C: MODE READER
S: 200 go on
C: CAPABILITIES
S: 500 what?
C: AUTHINFO USER fred
S: 381 more
C: AUTHINFO PASS flintstone
S: 281 ok
C: LIST OVERVIEW.FMT
S: 503 no
C: OVER 1-3
S: 500 what?
C: XOVER 1-3
S: 224 data follows
S: 1\ta\tb\tc\t<1@x>\t\t10\t2\tXref: h g:1
S: .
C: XOVER 7-
S: 420 none
C: HDR Xref 1-
S: 500 what?
C: XHDR Xref 1-
S: 221 follows
S: 1 (none)
S: 2 h g:2
S: .
C: XHDR Xref <1@x>
S: 221 follows
S: <1@x> h g:1
S: .
C: LISTGROUP g
S: 211 list follows
S: 1
S: 2
S: .
C: ARTICLE 1
C: ARTICLE 2
C: ARTICLE 3
S: 220 1 <1@x> article
S: Subject: one
S: 
S: ..
S: .
S: 423 no
S: 220 3
S: three
S: .
C: CAPABILITIES
S: 500 what?
C: MODE STREAM
S: 500 what?
C: IHAVE <a@x>
S: 335 send
C: text
C: .
S: 235 ok
C: IHAVE <b@x>
S: 436 later
C: QUIT
S: 205 bye
S.
`

func TestClientOfAnOldServer(t *testing.T) {
	t.Parallel()
	client(t, oldTalk, nntp.Options{}, func(ctx context.Context, c *nntp.Client) error {
		if err := c.Login(ctx, auth.Credentials{User: "fred", Password: "flintstone", ClearText: true}); err != nil || c.Welcome().Code != 200 {
			return fmt.Errorf("login: %w", err)
		}
		if n, o, err := counted(c.Over(ctx, nntp.Range{First: 1, Last: 3})); err != nil || n != 1 || o.Lines() != 2 {
			return fmt.Errorf("XOVER: %+v, %w", o, err)
		}
		if n, _, err := counted(c.Over(ctx, nntp.From(7))); err != nil || n != 0 {
			return fmt.Errorf("XOVER: %d, %w", n, err)
		}
		if n, f, err := counted(c.Hdr(ctx, "Xref", nntp.From(1))); err != nil || n != 2 || f.Value != "h g:2" {
			return fmt.Errorf("XHDR: %+v, %w", f, err)
		}
		if v, err := c.HdrID(ctx, "Xref", "<1@x>"); err != nil || v != "h g:1" {
			return fmt.Errorf("XHDR: %q, %w", v, err)
		}
		if _, all, err := c.ListGroup(ctx, "g", nntp.From(0)); err != nil || len(all) != 2 {
			return fmt.Errorf("LISTGROUP: %v, %w", all, err)
		}
		got := ""
		for b, err := range c.Fetch(ctx, nntp.ByNumber(1), nntp.ByNumber(2), nntp.ByNumber(3)) {
			if err != nil {
				if !errors.Is(err, nntp.ErrNoArticle) {
					return err
				}
				got += "none "
				continue
			}
			text, err := io.ReadAll(b)
			if err != nil {
				return err
			}
			got += fmt.Sprintf("%q ", text)
		}
		if got != `"Subject: one\r\n\r\n.\r\n" none "three\r\n" ` {
			return fmt.Errorf("ARTICLE: %s", got)
		}
		return feedBoth(ctx, c)
	})
}

func feedBoth(ctx context.Context, c *nntp.Client) error {
	open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("text\n")), nil }
	got := ""
	for f, err := range c.Feed(ctx, slices.Values([]nntp.Offer{{ID: "<a@x>", Open: open}, {ID: "<b@x>", Open: open}, {ID: "bad", Open: open}})) {
		if err != nil && !errors.Is(err, nntp.ErrNotWanted) && !errors.Is(err, nntp.ErrLater) {
			return err
		}
		got += fmt.Sprintf("%s %t %t %t, ", f.ID, f.Sent, errors.Is(err, nntp.ErrNotWanted), errors.Is(err, nntp.ErrLater))
	}
	if got != "<a@x> true false false, <b@x> false false true, bad false true false, " {
		return fmt.Errorf("feed: %s", got)
	}
	return c.Quit(ctx)
}

// streamTalk has the examples of RFC 4644, and of RFC 4643 section 2.4.3.
const streamTalk = `
S: 200 ready
C: CAPABILITIES
S: 101
S: VERSION 2
S: STREAMING
S: AUTHINFO SASL
S: SASL PLAIN
S: .
C: AUTHINFO SASL PLAIN AGZyZWQAZmxpbnRzdG9uZQ==
S: 281 Authentication accepted
C: CAPABILITIES
S: 101
S: VERSION 2
S: STREAMING
S: .
C: MODE STREAM
S: 203 Streaming permitted
C: CHECK <a@x>
C: CHECK <b@x>
C: CHECK <c@x>
S: 238 <a@x>
C: TAKETHIS <a@x>
C: text
C: .
S: 431 <b@x>
S: 438 <c@x>
S: 239 <a@x>
C: QUIT
S: 205 bye
S.
`

func TestClientStreams(t *testing.T) {
	t.Parallel()
	client(t, streamTalk, nntp.Options{NoReader: true}, func(ctx context.Context, c *nntp.Client) error {
		if err := c.Login(ctx, auth.Credentials{User: "fred", Password: "flintstone", ClearText: true}); err != nil {
			return err
		}
		open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("text\n")), nil }
		got := ""
		for f, err := range c.Feed(ctx, slices.Values([]nntp.Offer{{ID: "<a@x>", Open: open}, {ID: "<b@x>", Open: open}, {ID: "<c@x>", Open: open}})) {
			if err != nil && !errors.Is(err, nntp.ErrNotWanted) && !errors.Is(err, nntp.ErrLater) {
				return err
			}
			got += fmt.Sprintf("%s %t %t %t, ", f.ID, f.Sent, errors.Is(err, nntp.ErrNotWanted), errors.Is(err, nntp.ErrLater))
		}
		if got != "<b@x> false false true, <c@x> false true false, <a@x> true false false, " {
			return fmt.Errorf("feed: %s", got)
		}
		return c.Quit(ctx)
	})
}
