package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"time"
)

// A Backend knows who may come in and what they see. Its methods may be called
// by several goroutines.
type Backend interface {
	// Login gives the files of whoever comes, as often as it is asked. It may
	// take its time over a refusal: nobody else waits for it. ErrLogin is a
	// refusal, ErrAccount asks for ACCT (RFC 959 section 5.4); any other error
	// is a fault of the server's.
	Login(ctx context.Context, c Credentials) (Files, error)
}

// Credentials are what a client says of itself.
type Credentials struct {
	User, Password, Account string
	Host                    string               // by HOST (RFC 7151), else by TLS's server name; "" if neither
	Peer                    net.Addr             // the client's address; may be nil
	TLS                     *tls.ConnectionState // nil in clear
}

// Errors of a Backend.
var (
	ErrLogin   = errors.New("ftp: login incorrect")
	ErrAccount = errors.New("ftp: account needed")
)

// Hosts is a Backend with virtual hosts (RFC 7151); without it every HOST is
// this one.
type Hosts interface {
	HasHost(host string) bool
}

// Files is the tree that a session sees, with names as package fs has them: "."
// is the root. What may be changed there is what else it implements: Creator,
// Mkdirer, Remover, Renamer, Chtimer. Without any it is read-only, and every
// such fs.FS will do. Its methods may be called by several goroutines.
//
// Errors are told to the client by what errors.Is finds in them: fs.ErrNotExist,
// fs.ErrExist, fs.ErrPermission, a full disk's syscall.ENOSPC or EDQUOT; or by a
// Reply in them. No other text of theirs leaves the server.
type Files interface {
	// Open opens a file for reading. An *os.File goes to the network by
	// sendfile(2); an io.Seeker is asked when a transfer is resumed.
	fs.FS
	fs.StatFS
	fs.ReadDirFS
}

// Ready is what Files have that can tell what needs no waiting.
type Ready interface {
	// ReadReady reads a regular file whole into buf, and tells how long it is.
	// It never waits for a disk. Where it would have to, where the file is
	// longer than buf, or is none, it fails: then Open is asked.
	ReadReady(name string, buf []byte) (int, error)
}

// Creator makes files (STOR, APPE, STOU).
type Creator interface {
	Create(ctx context.Context, name string, o CreateOptions) (Upload, error)
}

// CreateOptions says how a file is to be written; the zero value replaces.
type CreateOptions struct {
	Offset   int64 // keep that many bytes of the old file and go on behind them (REST)
	Append   bool  // keep all of it (APPE)
	IfAbsent bool  // fs.ErrExist where there is one (STOU)
	Size     int64 // as ALLO announced it; 0: unknown
}

// An Upload is a file that is being received. If it is an io.ReaderFrom it gets
// the connection itself (splice). After Commit or Abort it is over.
type Upload interface {
	io.Writer
	Commit() error
	Abort() error
}

// Mkdirer makes directories (MKD).
type Mkdirer interface{ Mkdir(name string) error }

// Remover removes files and empty directories (DELE, RMD).
type Remover interface{ Remove(name string) error }

// Renamer renames (RNFR, RNTO).
type Renamer interface{ Rename(from, to string) error }

// Chtimer sets the time of the last change (MFMT).
type Chtimer interface {
	Chtimes(name string, mtime time.Time) error
}

// Names turns names of files into what stands on the wire and back, for peers
// that speak no UTF-8 (RFC 2640). The zero Names leaves them as they are.
type Names struct {
	Encode func(name string) (string, error)
	Decode func(wire string) (string, error)
}

func (n Names) encode(name string) (string, error) {
	if n.Encode == nil {
		return name, nil
	}
	return n.Encode(name)
}

func (n Names) decode(wire string) (string, error) {
	if n.Decode == nil {
		return wire, nil
	}
	return n.Decode(wire)
}

// ReadOnly makes Files of any fs.FS.
func ReadOnly(fsys fs.FS) Files { return readOnly{fsys} }

type readOnly struct{ fs.FS }

func (f readOnly) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(f.FS, name) }
func (f readOnly) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// Anonymous is a Backend that lets anybody in, to the same files.
func Anonymous(f Files) Backend { return anonymous{f} }

type anonymous struct{ Files }

func (a anonymous) Login(context.Context, Credentials) (Files, error) { return a.Files, nil }
