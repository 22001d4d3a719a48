package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/ftp"
)

func TestAccountsOfFTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, public := filetree.Memory(filetree.Options{}), filetree.Memory(filetree.Options{})
		users := &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret"), "ftp": auth.Clear("x")}}
		a := &files.Accounts{Logins: &auth.Authenticator{Accounts: users, ClearText: true}, Tree: own, Anonymous: public}
		for i, c := range []struct {
			user, password string
			want           filetree.Tree
		}{
			{"ann", "secret", own}, {"ftp", "x", own}, {"anonymous", "x", public},
			{"ann", "Secret", nil}, {"ann", "", nil}, {"bob", "", nil}, {"bob", "secret", nil}, {"ftp", "", nil},
		} {
			began := time.Now()
			peer := &net.TCPAddr{IP: net.IPv4(192, 0, 2, byte(i))} // each fails for the first time
			got, err := a.FTP(t.Context(), ftp.Credentials{User: c.user, Password: c.password, Peer: peer})
			late := time.Since(began)
			if c.want != nil && (got != c.want || err != nil || late != 0) {
				t.Errorf("%s: %v, %v after %v", c.user, got, err, late)
			}
			if c.want == nil && (!errors.Is(err, ftp.ErrLogin) || late != time.Second) {
				t.Errorf("%s with %q: %v, %v after %v", c.user, c.password, got, err, late)
			}
		}
		none := &files.Accounts{Anonymous: public}
		if got, err := none.FTP(t.Context(), ftp.Credentials{User: "ftp"}); got != public || err != nil {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := none.FTP(t.Context(), ftp.Credentials{User: "ann"}); !errors.Is(err, ftp.ErrLogin) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.FTP(ctx, ftp.Credentials{User: "bob"}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestFTPTree looks at a tree through the eyes of FTP.
func TestFTPTree(t *testing.T) {
	tree := filetree.Memory(filetree.Options{MaxFile: 10})
	b := files.FTP((&files.Accounts{Anybody: tree}).FTP)
	f, err := b.Login(t.Context(), ftp.Credentials{User: "x"})
	if err != nil {
		t.Fatal(err)
	}
	reply := func(err error, code int) {
		t.Helper()
		if r, ok := errors.AsType[ftp.Reply](err); !ok || r.Code != code {
			t.Errorf("want %d, got %v", code, err)
		}
	}
	up, err := f.(ftp.Creator).Create(t.Context(), "a", ftp.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(up, strings.NewReader("much too much"))
	reply(err, 552)
	if err := up.Abort(); err != nil {
		t.Error(err)
	}
	_, err = f.(ftp.Creator).Create(t.Context(), "a", ftp.CreateOptions{Offset: 3})
	if err == nil {
		t.Error("an offset in a file that is not there")
	}
	if err := f.(ftp.Mkdirer).Mkdir("d"); err != nil {
		t.Error(err)
	}
	if err := f.(ftp.Mkdirer).Mkdir("d/e"); err != nil {
		t.Error(err)
	}
	reply(f.(ftp.Remover).Remove("d"), 550)
	if err := f.(ftp.Renamer).Rename("d/e", "e"); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(f, "e"); err != nil {
		t.Error(err)
	}
}
