package ftp

import (
	"context"
	"crypto/md5"  //nolint:gosec // a checksum that HASH's draft names, no protection
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// decode makes a name of what stands on the wire.
func (s *session) decode(arg string) (string, error) {
	if s.utf8 {
		return arg, nil
	}
	return s.h.Names.decode(arg)
}

// encode is the other way; what cannot be encoded stays as it is, so that the
// file can be seen at all.
func (s *session) encode(name string) string {
	if s.utf8 {
		return name
	}
	if wire, err := s.h.Names.encode(name); err == nil {
		return wire
	}
	return name
}

// absolute is the whole path of an argument; ok is false, with a reply, when
// it cannot be decoded.
func (s *session) absolute(arg string) (string, bool) {
	name, err := s.decode(arg)
	if err != nil {
		s.reply(501, "Name cannot be decoded")
		return "", false
	}
	if !strings.HasPrefix(name, "/") {
		name = s.cwd + "/" + name
	}
	return path.Clean(name), true
}

// rooted is an absolute path as package fs has it.
func rooted(name string) string {
	if name == "/" {
		return "."
	}
	return name[1:]
}

// refuse says why files could not be had.
func (s *session) refuse(err error) {
	var own Reply
	switch {
	case errors.As(err, &own):
		s.reply(own.Code, own.Lines...)
	case errors.Is(err, fs.ErrNotExist):
		s.reply(550, "No such file or directory")
	case errors.Is(err, fs.ErrExist):
		s.reply(550, "It exists already")
	case errors.Is(err, fs.ErrPermission):
		s.reply(550, "Permission denied")
	case errors.Is(err, fs.ErrInvalid):
		s.reply(553, "Name not allowed")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		s.reply(452, "No space left")
	case errors.Is(err, errDirectory):
		s.reply(550, "It is a directory")
	case errors.Is(err, errNoDirectory):
		s.reply(550, "It is no directory")
	case errors.Is(err, errOffset):
		s.reply(554, "The file is shorter than that")
	default:
		s.reply(451, "The server failed")
	}
}

var (
	errDirectory   = errors.New("is a directory")
	errNoDirectory = errors.New("is no directory")
	errOffset      = errors.New("offset beyond the end")
)

func (s *session) cwd_(_ context.Context, arg string) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	info, err := s.files.Stat(rooted(name))
	if err == nil && !info.IsDir() {
		err = errNoDirectory
	}
	if err != nil {
		s.refuse(err)
		return nil
	}
	s.cwd = name
	s.reply(250, "Directory is "+quote257(s.encode(name)))
	return nil
}

func (s *session) cdup(ctx context.Context, _ string) error { return s.cwd_(ctx, "..") }

func (s *session) pwd(context.Context, string) error {
	s.reply(257, quote257(s.encode(s.cwd))+" is the current directory")
	return nil
}

// change does something to a name and says so.
func (s *session) change(arg string, code int, text string, do func(name string) error) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	if err := do(rooted(name)); err != nil {
		s.refuse(err)
		return nil
	}
	if code == 257 {
		text = quote257(s.encode(name)) + " " + text
	}
	s.reply(code, text)
	return nil
}

func (s *session) mkd(_ context.Context, arg string) error {
	return s.change(arg, 257, "created", s.files.(Mkdirer).Mkdir)
}

func (s *session) dele(_ context.Context, arg string) error {
	return s.change(arg, 250, "Deleted", func(name string) error { return s.remove(name, false) })
}

func (s *session) rmd(_ context.Context, arg string) error {
	return s.change(arg, 250, "Removed", func(name string) error { return s.remove(name, true) })
}

func (s *session) remove(name string, dir bool) error {
	info, err := s.files.Stat(name)
	switch {
	case err != nil:
		return err
	case dir && !info.IsDir():
		return errNoDirectory
	case !dir && info.IsDir():
		return errDirectory
	}
	err = s.files.(Remover).Remove(name)
	if dir && err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return Reply{550, []string{"Directory is not empty"}}
	}
	return err
}

func (s *session) rnfr(_ context.Context, arg string) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	if _, err := s.files.Stat(rooted(name)); err != nil {
		s.refuse(err)
		return nil
	}
	s.from, s.wanted = name, "RNTO"
	s.reply(350, "New name, please")
	return nil
}

func (s *session) rnto(_ context.Context, arg string) error {
	return s.change(arg, 250, "Renamed", func(name string) error { return s.files.(Renamer).Rename(rooted(s.from), name) })
}

// regular looks at a file; nil, with a reply, when it is none.
func (s *session) regular(arg string) (string, fs.FileInfo) {
	name, ok := s.absolute(arg)
	if !ok {
		return "", nil
	}
	info, err := s.files.Stat(rooted(name))
	if err == nil {
		err = regularFile(info)
	}
	if err != nil {
		s.refuse(err)
		return "", nil
	}
	return name, info
}

func regularFile(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return errDirectory
	case !info.Mode().IsRegular():
		return fs.ErrPermission
	}
	return nil
}

// size is what would be sent (RFC 3659 section 4); in ASCII only a whole
// reading would tell.
func (s *session) size(_ context.Context, arg string) error {
	_, info := s.regular(arg)
	if info == nil {
		return nil
	}
	if s.ascii {
		s.reply(550, "SIZE is not told in TYPE A")
		return nil
	}
	s.replyf(213, "%d", info.Size())
	return nil
}

func (s *session) mdtm(_ context.Context, arg string) error {
	if _, info := s.regular(arg); info != nil {
		s.reply(213, info.ModTime().UTC().Format(timeForm))
	}
	return nil
}

// mfmt sets a file's time (draft-somers-ftp-mfxx section 3.1).
func (s *session) mfmt(_ context.Context, arg string) error {
	stamp, file, _ := strings.Cut(arg, " ")
	t, err := parseTime(stamp)
	if err != nil || file == "" {
		s.reply(501, "Usage: MFMT YYYYMMDDHHMMSS file")
		return nil
	}
	name, info := s.regular(file)
	if info == nil {
		return nil
	}
	if err := s.files.(Chtimer).Chtimes(rooted(name), t); err != nil {
		s.refuse(err)
		return nil
	}
	s.replyf(213, "Modify=%s; %s", t.Format(timeForm), file)
	return nil
}

// hashNames are HASH's algorithms, in the order of FEAT.
var hashNames = [...]string{"SHA-256", "SHA-512", "SHA-1", "MD5", "CRC32"}

func newHash(name string) hash.Hash {
	switch name {
	case "SHA-256":
		return sha256.New()
	case "SHA-512":
		return sha512.New()
	case "SHA-1":
		return sha1.New() //nolint:gosec // see above
	case "MD5":
		return md5.New() //nolint:gosec // see above
	case "CRC32":
		return crc32.NewIEEE()
	}
	return nil
}

func (s *session) hashFeature() string {
	var b strings.Builder
	b.WriteString("HASH ")
	for _, name := range hashNames {
		b.WriteString(name)
		if name == s.hash {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// hash_ reads the file beside the session (draft-bryan-ftpext-hash).
func (s *session) hash_(ctx context.Context, arg string) error {
	name, info := s.regular(arg)
	if info == nil {
		return nil
	}
	files, algorithm := s.files, s.hash
	s.begin(ctx, "hashing", func(ctx context.Context, j *job) func(*session) error {
		sum, n, err := checksum(ctx, j, files, rooted(name), algorithm)
		return func(s *session) error {
			switch {
			case j.aborted:
				s.reply(426, "Hash aborted")
			case err != nil:
				s.refuse(err)
			default:
				s.reply(213, fmt.Sprintf("%s 0-%d %x %s", algorithm, n, sum, arg))
			}
			return nil
		}
	})
	return nil
}

func checksum(ctx context.Context, j *job, files fs.FS, name, algorithm string) ([]byte, int64, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	h := newHash(algorithm)
	for {
		n, err := io.CopyN(h, f, piece)
		j.moved.Add(n)
		if err == io.EOF {
			return h.Sum(nil), j.moved.Load(), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, 0, err
		}
	}
}
