package transfer

import (
	"bytes"
	"context"
	"crypto/md5"  //nolint:gosec // what servers compute
	"crypto/sha1" //nolint:gosec // what servers compute
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"
)

// sameContent compares a checksum where the server computes one; otherwise the
// content has to come.
func (m *mirror) sameContent(ctx context.Context, e entry, info fs.FileInfo) (same bool, why string, err error) {
	if e.exact && e.version.Size >= 0 && e.version.Size != info.Size() {
		return false, "", nil
	}
	algorithm, theirs, err := m.tree.sum(ctx, e)
	if errors.Is(err, errNoSum) {
		return false, unsure, nil
	}
	if err != nil {
		return false, "", err
	}
	h := newHash(algorithm)
	if h == nil {
		return false, unsure, nil
	}
	f, err := m.root.Open(e.path)
	if err != nil {
		return false, "", failure(CodeWrite, err)
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return false, "", failure(CodeWrite, err)
	}
	return strings.EqualFold(hex.EncodeToString(h.Sum(nil)), theirs), sameSum, nil
}

// newHash is that of a name as FTP's HASH has it; nil: unknown.
func newHash(algorithm string) hash.Hash {
	switch strings.ToUpper(algorithm) {
	case "MD5":
		return md5.New()
	case "SHA-1", "SHA1":
		return sha1.New()
	case "SHA-256", "SHA256":
		return sha256.New()
	case "SHA-512", "SHA512":
		return sha512.New()
	case "CRC32", "CRC":
		return crc32.NewIEEE()
	}
	return nil
}

// compared is a part that takes its name only where it differs from what has
// it.
type compared struct {
	*part
	r *Result
}

func (c *compared) done() error {
	if c.f == nil { // nothing came to disk
		return c.part.done()
	}
	if c.v.Size >= 0 && c.got != c.v.Size {
		return io.ErrUnexpectedEOF
	}
	same, err := sameFiles(c.root, c.name, c.tempName())
	if err != nil {
		return failure(CodeWrite, err)
	}
	if !same {
		return c.part.done()
	}
	c.r.Action, c.r.Skipped = ActionSkip, sameText
	if !c.v.Modified.IsZero() {
		if err := c.root.Chtimes(c.name, c.v.Modified, c.v.Modified); err != nil {
			return failure(CodeWrite, err)
		}
	}
	return c.drop()
}

func sameFiles(root *os.Root, a, b string) (bool, error) {
	x, err := root.Open(a)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := root.Open(b)
	if err != nil {
		return false, err
	}
	defer y.Close()
	return sameBytes(x, y)
}

func sameBytes(x, y io.Reader) (bool, error) {
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err1 := io.ReadFull(x, p)
		k, err2 := io.ReadFull(y, q)
		if n != k || !bytes.Equal(p[:n], q[:k]) {
			return false, nil
		}
		for _, err := range []error{err1, err2} {
			if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if err1 != nil {
			return true, nil
		}
	}
}
