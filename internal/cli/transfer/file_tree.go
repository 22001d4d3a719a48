package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/farend-go/farend/open"
)

// fileTreeOf is a directory of this host.
type fileTreeOf struct {
	url  *url.URL
	path string
	root *os.Root // the Client's, which closes it
}

func fileTree(c *Client, u *url.URL) (tree, error) {
	name, err := open.FilePath(u)
	if err != nil {
		return nil, failure(CodeUsage, err)
	}
	root, err := c.root(name)
	if err != nil {
		return nil, noFile(err)
	}
	return &fileTreeOf{url: u, path: name, root: root}, nil
}

// noFile puts curl's number on what reading meets, and says it without the
// name, which the URL has.
func noFile(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return failure(CodeNoFile, err)
}

// holds tells whether a directory is the tree, or lies in it.
func (t *fileTreeOf) holds(dir string) bool {
	above, err := filepath.Abs(t.path)
	if err != nil {
		return false
	}
	below, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for { // the end may not be there yet
		if real, err := filepath.EvalSymlinks(below); err == nil {
			below = real
			break
		}
		up := filepath.Dir(below)
		if up == below {
			break
		}
		below = up
	}
	if real, err := filepath.EvalSymlinks(above); err == nil {
		above = real
	}
	rest, err := filepath.Rel(above, below)
	return err == nil && rest != ".." && !strings.HasPrefix(rest, ".."+string(filepath.Separator))
}

func (t *fileTreeOf) at(e entry) string { return below(t.url, e).String() }

func (t *fileTreeOf) list(_ context.Context, dir entry) (listing, error) {
	found := listing{whole: true}
	all, err := fs.ReadDir(t.root.FS(), dir.path)
	if err != nil {
		return found, noFile(err)
	}
	for _, d := range all {
		e := entry{path: path.Join(dir.path, d.Name()), dir: d.IsDir(), version: unknown}
		if d.Type().IsRegular() {
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) { // it has gone meanwhile
				continue
			}
			if err != nil {
				return found, noFile(err)
			}
			e.version, e.exact = versionOfFile(info), true
		} else if !e.dir {
			found.passed++
			continue
		}
		found.entries = append(found.entries, e)
	}
	return found, nil
}

func versionOfFile(info fs.FileInfo) Version {
	return Version{Size: info.Size(), Modified: info.ModTime()}
}

func (t *fileTreeOf) look(_ context.Context, e entry) (Version, error) {
	info, err := t.root.Lstat(e.path)
	if err != nil {
		return unknown, noFile(err)
	}
	return versionOfFile(info), nil
}

func (t *fileTreeOf) open(_ context.Context, e entry, r request) (*source, error) {
	f, err := t.root.Open(e.path)
	if err != nil {
		return nil, noFile(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = open.ErrNotFile
	}
	if err != nil {
		return nil, errors.Join(noFile(err), f.Close())
	}
	s := &source{body: f, version: versionOfFile(info)}
	if r.from > 0 && s.version.Same(r.version) {
		s.from = r.from
		_, err = f.Seek(s.from, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(noFile(err), f.Close())
	}
	return s, nil
}

func (t *fileTreeOf) sum(_ context.Context, e entry) (algorithm, sum string, err error) {
	f, err := t.root.Open(e.path)
	if err != nil {
		return "", "", noFile(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", "", noFile(err)
	}
	return "SHA-256", hex.EncodeToString(h.Sum(nil)), nil
}

// fileListing is a directory's names, a line each, directories with a slash;
// nil where the URL leads to none.
func fileListing(u *url.URL) (*source, error) {
	name, err := open.FilePath(u)
	if err != nil {
		return nil, nil //nolint:nilerr // the opener says what is wrong with it
	}
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return nil, nil //nolint:nilerr // as above
	}
	all, err := os.ReadDir(name)
	if err != nil {
		return nil, noFile(err)
	}
	var lines strings.Builder
	for _, d := range all {
		lines.WriteString(d.Name())
		if d.IsDir() {
			lines.WriteByte('/')
		}
		lines.WriteByte('\n')
	}
	return &source{body: io.NopCloser(strings.NewReader(lines.String())), version: Version{Size: int64(lines.Len())}}, nil
}
