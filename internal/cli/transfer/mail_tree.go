package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/farend-go/farend/internal/cli/letters"
	"github.com/farend-go/farend/message/maildir"
	"github.com/farend-go/farend/proto/imap"
)

// exportTree writes the mailboxes at a URL, and those below it, to a Maildir
// with folders (Maildir++): INBOX is the Maildir itself.
func (c *Client) exportTree(ctx context.Context, u *url.URL, dir string, how Mirror, report func(r Result)) error {
	s, what, err := c.session(ctx, u)
	if err != nil {
		return err
	}
	defer s.Close()
	patterns := []string{"*"}
	sep, err := separator(ctx, s)
	if err == nil && what.Mailbox != "" {
		patterns = []string{what.Mailbox, what.Mailbox + sep + "*"}
	}
	var found []imap.Listed
	for _, p := range patterns {
		if err == nil {
			var some []imap.Listed
			some, err = s.List(imap.List{Patterns: []string{p}}).Wait(ctx)
			found = append(found, some...)
		}
	}
	if err == nil {
		err = s.Logout(ctx)
	}
	if err != nil {
		return mailboxError(err)
	}
	if !how.DryRun {
		d, err := maildir.Create(dir)
		if err != nil {
			return failure(CodeWrite, err)
		}
		d.Close()
	}
	for _, m := range found {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if slices.ContainsFunc(m.Attrs, func(a string) bool {
			return strings.EqualFold(a, imap.NoSelect) || strings.EqualFold(a, imap.NonExistent)
		}) {
			continue
		}
		at := mailboxURL(u, m.Name)
		folder := dir
		r := Result{URL: at.Redacted(), Action: ActionGet, share: c.meter.announce(-1)}
		if m.Name != "INBOX" {
			name := "." + folderName(m.Name, m.Delimiter)
			folder, r.Err = filepath.Join(dir, name), SafeName(name)
		}
		r.File = folder
		switch {
		case r.Err != nil:
			r.Action, r.Err = ActionFail, failure(CodeWrite, r.Err)
		case !how.DryRun:
			r.Err = c.untilDone(ctx, &r, true, func() error {
				return c.export(ctx, at, func(from string, validity uint32) (letters.Target, error) {
					t, err := letters.ToMaildir(folder, from, validity)
					if err != nil {
						return nil, failure(CodeWrite, err)
					}
					return t, nil
				}, &r)
			})
		}
		r.share.end()
		report(r)
	}
	return nil
}

// mailboxURL is the URL of a mailbox at u's server.
func mailboxURL(u *url.URL, name string) *url.URL {
	at := *u
	at.Path, at.RawPath, at.RawQuery = "/"+name, strings.ReplaceAll((imap.URL{Mailbox: name}).Path(), "%2F", "/"), ""
	return &at
}

// separator is what stands between the levels of mailboxes' names.
func separator(ctx context.Context, s *imap.Client) (string, error) {
	top, err := s.List(imap.List{Patterns: []string{""}}).Wait(ctx)
	if err != nil || len(top) == 0 || top[0].Delimiter == "" {
		return "/", err
	}
	return top[0].Delimiter, nil
}

// dot is how a dot in a name is written where dots stand between levels.
const dot = "&AC4-"

// folderName is a mailbox's name as Maildir++ has it: dots between the levels,
// all else in modified UTF-7.
func folderName(name, sep string) string {
	levels := []string{name}
	if sep != "" {
		levels = strings.Split(name, sep)
	}
	for i, level := range levels {
		levels[i] = strings.NewReplacer(".", dot, "/", "_").Replace(imap.EncodeName(level))
	}
	return strings.Join(levels, ".")
}

// mailboxName is the name of a folder's mailbox.
func mailboxName(folder, sep string) string {
	levels := strings.Split(folder, ".")
	for i, level := range levels {
		pieces := strings.Split(level, dot)
		for k, piece := range pieces {
			if name, err := imap.DecodeName(piece); err == nil && !strings.Contains(name, sep) {
				pieces[k] = name
			}
		}
		if sep == "." { // then no name has one
			levels[i] = strings.Join(pieces, "_")
		} else {
			levels[i] = strings.Join(pieces, ".")
		}
	}
	return strings.Join(levels, sep)
}

// importTree puts a Maildir and its folders into mailboxes, which are made where
// they are missing.
func (c *Client) importTree(ctx context.Context, dir string, u *url.URL, how Mirror, report func(r Result)) error {
	s, what, err := c.session(ctx, u)
	if err != nil {
		return err
	}
	defer s.Close()
	sep, err := separator(ctx, s)
	if err == nil {
		err = s.Logout(ctx)
	}
	if err != nil {
		return mailboxError(err)
	}
	d, err := maildir.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, missing := os.Stat(dir); missing == nil {
			err = fmt.Errorf("%s is no Maildir: it lacks cur, new or tmp", dir)
		}
	}
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	folders, err := d.Folders()
	d.Close()
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	for _, folder := range append([]string{""}, folders...) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		path, name := dir, "INBOX"
		if folder != "" {
			path, name = filepath.Join(dir, "."+folder), mailboxName(folder, sep)
		}
		switch {
		case what.Mailbox != "" && folder == "":
			name = what.Mailbox
		case what.Mailbox != "":
			name = what.Mailbox + sep + name
		}
		at := mailboxURL(u, name)
		r := Result{URL: at.Redacted(), File: path, Action: ActionPut, share: c.meter.announce(-1)}
		if !how.DryRun {
			r.Err = c.untilDone(ctx, &r, true, func() error { return c.loadFolder(ctx, at, path, name, &r) })
		}
		r.share.end()
		report(r)
	}
	return nil
}

func (c *Client) loadFolder(ctx context.Context, u *url.URL, path, name string, r *Result) error {
	src, err := letters.Open(path)
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	defer src.Close()
	s, _, err := c.session(ctx, u)
	if err != nil {
		return err
	}
	defer s.Close()
	return c.load(ctx, s, name, src, true, r)
}
