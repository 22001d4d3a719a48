package files

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/ftp"
)

// FTP is a backend that serves the trees which login gives. login returns
// ftp.ErrLogin to refuse; it may be called by several goroutines.
func FTP(login func(ctx context.Context, c ftp.Credentials) (filetree.Tree, error)) ftp.Backend {
	return ftpBackend(login)
}

type ftpBackend func(ctx context.Context, c ftp.Credentials) (filetree.Tree, error)

func (b ftpBackend) Login(ctx context.Context, c ftp.Credentials) (ftp.Files, error) {
	tree, err := b(ctx, c)
	if err != nil {
		return nil, err
	}
	return ftpFiles{tree}, nil
}

// Accounts are who may log in, and what each may see. The zero value lets nobody
// in. Its fields are not changed while in use.
type Accounts struct {
	Logins    *auth.Authenticator // who has an account; nil: nobody
	Tree      filetree.Tree       // what they see
	Anonymous filetree.Tree       // what "anonymous" and "ftp" see, whatever their password; nil: they are not let in
	Anybody   filetree.Tree       // what every other name sees, whatever the password; nil: nobody
}

// FTP is the login for the function FTP. Who has no account, and a wrong
// password, get the same answer after the same time.
func (a *Accounts) FTP(ctx context.Context, c ftp.Credentials) (filetree.Tree, error) {
	known, err := a.knows(ctx, c.User)
	switch {
	case err != nil:
		return nil, err
	case known:
	case a.Anonymous != nil && (c.User == "anonymous" || c.User == "ftp"): // RFC 1635
		return a.Anonymous, nil
	case a.Anybody != nil:
		return a.Anybody, nil
	case a.Logins == nil:
		return nil, ftp.ErrLogin
	}
	_, err = a.Logins.CheckPassword(ctx, c.User, c.Password, auth.Channel{TLS: c.TLS, Peer: c.Peer})
	if errors.Is(err, auth.ErrRefused) || errors.Is(err, auth.ErrClear) {
		return nil, ftp.ErrLogin
	}
	if err != nil {
		return nil, err
	}
	return a.Tree, nil
}

// knows tells whether somebody has an account.
func (a *Accounts) knows(ctx context.Context, user string) (bool, error) {
	if a.Logins == nil {
		return false, nil
	}
	_, err := a.Logins.Accounts.Lookup(ctx, auth.Prepare(user))
	if errors.Is(err, auth.ErrNoAccount) || errors.Is(err, auth.ErrRefused) {
		return false, nil
	}
	return err == nil, err
}

// ftpFiles is a tree as a session of FTP sees it.
type ftpFiles struct{ filetree.Tree }

var _ ftp.Ready = ftpFiles{}

func (f ftpFiles) ReadReady(name string, buf []byte) (int, error) {
	ready, ok := f.Tree.(filetree.Ready)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return ready.ReadReady(name, buf)
}

func (f ftpFiles) Create(ctx context.Context, name string, o ftp.CreateOptions) (ftp.Upload, error) {
	up, err := f.Tree.Create(ctx, name, filetree.CreateOptions{Offset: o.Offset, Append: o.Append, IfAbsent: o.IfAbsent, Size: o.Size})
	if err != nil {
		return nil, ftpError(err)
	}
	return ftpUpload{up}, nil
}

func (f ftpFiles) Mkdir(name string) error      { return ftpError(f.Tree.Mkdir(name)) }
func (f ftpFiles) Remove(name string) error     { return ftpError(f.Tree.Remove(name)) }
func (f ftpFiles) Rename(from, to string) error { return ftpError(f.Tree.Rename(from, to)) }

type ftpUpload struct{ filetree.Upload }

func (u ftpUpload) Write(p []byte) (int, error) {
	n, err := u.Upload.Write(p)
	return n, ftpError(err)
}

func (u ftpUpload) ReadFrom(r io.Reader) (int64, error) {
	n, err := u.Upload.ReadFrom(r)
	return n, ftpError(err)
}

func (u ftpUpload) Commit() error { return ftpError(u.Upload.Commit()) }

// ftpError adds the reply to what only a tree knows (RFC 959 section 4.2).
func ftpError(err error) error {
	for _, known := range []struct {
		err  error
		code int
		text string
	}{
		{filetree.ErrQuota, 552, "Quota exceeded"},
		{filetree.ErrTooLarge, 552, "File too large"},
		{filetree.ErrOffset, 554, "The file is shorter than that"},
		{filetree.ErrChanged, 450, "The file has changed meanwhile"},
		{filetree.ErrNotEmpty, 550, "Directory is not empty"},
	} {
		if errors.Is(err, known.err) {
			return fmt.Errorf("%w: %w", err, ftp.Reply{Code: known.code, Lines: []string{known.text}})
		}
	}
	return err
}
