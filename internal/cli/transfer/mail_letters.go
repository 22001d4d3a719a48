package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/farend-go/farend/internal/cli/letters"
	"github.com/farend-go/farend/proto/imap"
)

// Forms in which a mailbox is written to files, as Job.As.
const (
	AsList    = "list"    // what there is, a line each
	AsMbox    = "mbox"    // one file
	AsMaildir = "maildir" // a directory
	AsEML     = "eml"     // a directory with a file for each message
)

// isIMAP tells the URLs that may name a mailbox.
func isIMAP(u *url.URL) bool { return u.Scheme == "imap" || u.Scheme == "imaps" }

// inLetters is the form in which a job's mailbox is to be written; "": it is none,
// or is only to be listed.
func inLetters(j Job) (as string, what imap.URL, err error) {
	if isIMAP(j.URL) {
		what, err = imap.ParseURL(j.URL)
	}
	mailbox := err == nil && what.Mailbox != "" && what.UID == 0 && what.Index == 0
	if as = j.As; as == "" && mailbox && !j.toStdout() && !j.Named {
		as = letters.FormOf(j.File)
	}
	switch {
	case j.As != "" && j.As != AsList && !mailbox:
		return "", what, failuref(CodeUsage, "--as %s is for a mailbox, as imap://HOST/INBOX", j.As)
	case !mailbox || as == AsList:
		return "", what, nil
	case as != "" && as != AsMbox && (j.toStdout() || j.Named):
		return "", what, failuref(CodeUsage, "--as %s wants a directory: -o DIR/", as)
	}
	return as, what, nil
}

// getLetters writes a mailbox to files.
func (c *Client) getLetters(ctx context.Context, j Job, as string, p *place, r *Result) error {
	if p != nil {
		return c.export(ctx, j.URL, func(string, uint32) (letters.Target, error) { return letters.ToStream(p), nil }, r)
	}
	if c.o.MakeDirs {
		if err := os.MkdirAll(filepath.Dir(j.File), 0o777); err != nil {
			return failure(CodeWrite, err)
		}
	}
	open := map[string]func(path, from string, uidValidity uint32) (letters.Target, error){
		AsMbox: letters.ToMbox, AsMaildir: letters.ToMaildir, AsEML: letters.ToFolder,
	}[as]
	return c.untilDone(ctx, r, true, func() error {
		return c.export(ctx, j.URL, func(from string, validity uint32) (letters.Target, error) {
			t, err := open(j.File, from, validity)
			if err != nil {
				return nil, failure(CodeWrite, err)
			}
			return t, nil
		}, r)
	})
}

// untilDone tries again what was cut off, for nothing is done twice.
func (c *Client) untilDone(ctx context.Context, r *Result, repeatable bool, try func() error) error {
	for failed := 0; ; failed++ {
		before := r.Bytes
		r.Tries++
		err := try()
		if err == nil || !repeatable {
			return err
		}
		if r.Bytes > before {
			failed = 0
		}
		if failed >= c.o.Retries || !worthIt(ctx, err) || !pause(ctx, failed, err) {
			return err
		}
		c.say("%s: %v; trying again", r.URL, plain(err))
	}
}

// session opens a session for a URL.
func (c *Client) session(ctx context.Context, u *url.URL) (*imap.Client, imap.URL, error) {
	s, what, err := c.imapTransport().Session(ctx, u)
	if err != nil && isLogin(err) {
		err = failure(CodeLogin, err)
	}
	return s, what, err
}

// export writes one mailbox.
func (c *Client) export(ctx context.Context, u *url.URL, open func(from string, validity uint32) (letters.Target, error), r *Result) error {
	s, what, err := c.session(ctx, u)
	if err != nil {
		return err
	}
	defer s.Close()
	ex := &letters.Export{
		Client: s, Mailbox: what.Mailbox,
		Begin: func(n int64) { r.share.begin(r.Bytes+n, r.Bytes) },
		Moved: func(n int64) { r.Bytes += n; r.share.add(n) },
	}
	if what.Search != "" {
		search, err := imap.ParseSearch([]byte(what.Search))
		if err != nil {
			return failure(CodeUsage, err)
		}
		search.Return = nil
		ex.Search = &search
	}
	user, _ := c.ftpUser(u)
	if what.User != "" {
		user = what.User
	}
	t, err := ex.Run(ctx, func(validity uint32) (letters.Target, error) {
		if what.UIDValidity > 0 && what.UIDValidity != validity {
			return nil, failuref(CodeMissing, "UIDVALIDITY is %d now", validity)
		}
		return open(user+" "+what.Mailbox, validity)
	})
	if err == nil {
		err = s.Logout(ctx)
	}
	c.sum(t, "fetched", err, r)
	if errors.Is(err, letters.ErrForeign) {
		return failure(CodeWrite, err)
	}
	return mailboxError(err)
}

// sum says what was done. Of a tree only the mailboxes are worth it to which
// something was.
func (c *Client) sum(t letters.Tally, done string, err error, r *Result) {
	switch {
	case t.Moved > 0, err == nil && r.Action == "":
		c.say("%s: %s", r.URL, summary(t, done))
	case err == nil:
		r.Action = ActionSkip
	}
}

func summary(t letters.Tally, done string) string {
	text := fmt.Sprintf("%d messages %s", t.Moved, done)
	if t.Moved == 1 {
		text = "1 message " + done
	}
	if t.There > 0 {
		text += fmt.Sprintf(", %d there already", t.There)
	}
	return text
}

// mailboxError puts curl's number on what a server says about a mailbox.
func mailboxError(err error) error {
	s, ok := errors.AsType[imap.Status](err)
	if _, done := errors.AsType[*Failure](err); !ok || done {
		return err
	}
	code := CodeDenied
	switch s.Code.Name {
	case imap.CodeNonExistent, imap.CodeTryCreate, "":
		code = CodeMissing
	case imap.CodeOverQuota, imap.CodeTooBig, imap.CodeLimit:
		code = CodeUpload
	}
	return failuref(code, "the server says: %w", err)
}

// putLetters appends what lies in an mbox, a Maildir or a directory; done is
// false where it is a single message, which is sent as any file is.
func (c *Client) putLetters(ctx context.Context, up Upload, r *Result) (done bool, err error) {
	if !isIMAP(up.URL) || up.Resume {
		return false, nil
	}
	open := func() (*letters.Source, error) { return letters.Open(up.File) }
	if up.File == "-" {
		in := bufio.NewReaderSize(orEmpty(c.o.In), 64<<10)
		c.o.In = in
		open = func() (*letters.Source, error) {
			if !letters.IsMbox(in) {
				return nil, nil
			}
			return letters.Mbox(in), nil
		}
	}
	src, err := open()
	if err != nil {
		return true, failure(CodeLocalRead, fmt.Errorf("%s: %w", up.File, withoutPath(err)))
	}
	if src == nil {
		return false, nil
	}
	if what, err := imap.ParseURL(up.URL); err != nil || what.Mailbox == "" {
		_ = src.Close() // nothing was read
		return true, failuref(CodeUsage, "the URL names no mailbox for the messages: %s://%s/INBOX does", up.URL.Scheme, up.URL.Host)
	}
	return true, c.untilDone(ctx, r, up.File != "-", func() error {
		defer func() { src = nil }()
		if src == nil {
			if src, err = open(); err != nil {
				return failure(CodeLocalRead, withoutPath(err))
			}
		}
		defer src.Close()
		s, what, err := c.session(ctx, up.URL)
		if err != nil {
			return err
		}
		defer s.Close()
		return c.load(ctx, s, what.Mailbox, src, c.o.MakeDirs, r)
	})
}

func orEmpty(r io.Reader) io.Reader {
	if r == nil {
		return strings.NewReader("")
	}
	return r
}

func withoutPath(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// load brings a source into one mailbox, and ends the session.
func (c *Client) load(ctx context.Context, s *imap.Client, mailbox string, src *letters.Source, create bool, r *Result) error {
	r.Bytes = 0
	r.share.begin(src.Size, 0)
	im := &letters.Import{
		Client: s, Mailbox: mailbox, Create: create,
		Moved: func(n int64) { r.Bytes += n; r.share.add(n) },
		Failed: func(l letters.Letter, err error) {
			c.say("%s: %s is refused: %v", r.URL, l.Name, err)
		},
	}
	t, err := im.Run(ctx, src)
	c.sum(t, "put", err, r)
	if err == nil && t.Failed > 0 {
		err = failuref(CodeUpload, "%d of the messages are refused", t.Failed)
	}
	if st, ok := errors.AsType[imap.Status](err); ok && (st.Code.Name == imap.CodeTryCreate || st.Code.Name == imap.CodeNonExistent || st.Code.Name == "") {
		return failuref(CodeUpload, "the server says: %w (--create-dirs makes the mailbox)", err)
	}
	return mailboxError(err)
}
