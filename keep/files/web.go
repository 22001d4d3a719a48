package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/web"
)

// Web is a tree as a web.FileServer serves it. Only a writable one takes PUT
// and DELETE.
func Web(t filetree.Tree, writable bool) web.Files {
	if !writable {
		return web.ReadOnly(t)
	}
	return webFiles{t}
}

type webFiles struct{ filetree.Tree }

var (
	_ web.Creator = webFiles{}
	_ web.Mkdirer = webFiles{}
	_ web.Remover = webFiles{}
)

func (f webFiles) Create(ctx context.Context, name string, o web.CreateOptions) (web.Upload, error) {
	up, err := f.Tree.Create(ctx, name, filetree.CreateOptions{IfAbsent: o.IfAbsent, IfMatch: o.IfMatch, Size: o.Size})
	if err != nil {
		return nil, webError(err, o)
	}
	return webUpload{up, o}, nil
}

func (f webFiles) Mkdir(name string) error { return webError(f.Tree.Mkdir(name), web.CreateOptions{}) }
func (f webFiles) Remove(name string, as fs.FileInfo) error {
	if as == nil {
		return webError(f.Tree.Remove(name), web.CreateOptions{})
	}
	return webError(f.Tree.RemoveIf(name, as), web.CreateOptions{})
}

type webUpload struct {
	filetree.Upload
	o web.CreateOptions
}

func (u webUpload) Write(p []byte) (int, error) {
	n, err := u.Upload.Write(p)
	return n, webError(err, u.o)
}

func (u webUpload) Commit() error { return webError(u.Upload.Commit(), u.o) }

// webError adds the status to what only a tree knows (RFC 9110 section 15, RFC
// 4918 section 11.5).
func webError(err error, o web.CreateOptions) error {
	for _, known := range []struct {
		err  error
		is   bool
		code web.Status
	}{
		{filetree.ErrQuota, true, http.StatusInsufficientStorage},
		{filetree.ErrTooLarge, true, http.StatusRequestEntityTooLarge},
		{filetree.ErrChanged, true, http.StatusPreconditionFailed},
		{filetree.ErrNotEmpty, true, http.StatusConflict},
		{fs.ErrExist, o.IfAbsent, http.StatusPreconditionFailed},
	} {
		if known.is && errors.Is(err, known.err) {
			return fmt.Errorf("%w: %w", err, known.code)
		}
	}
	return err
}

// Web asks whoever wants to change something for a login, by Digest or Basic;
// reading is open.
func (a *Accounts) Web(realm string, next http.Handler) http.Handler {
	return &web.Auth{Next: next, Realm: realm, Need: web.Writes, Logins: a.Logins}
}
