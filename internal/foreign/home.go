//go:build interop

package foreign

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/farend-go/farend/internal/testcert"
)

// NeedRoot skips the tests of programs that root alone can start.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("it has to be started as root")
	}
}

// User finds a user of the system, or skips the test.
func User(t testing.TB, name string) *user.User {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Skip(err)
	}
	return u
}

// Dir is a directory that ends with the test, as t.TempDir's, and into which
// other users may look; its path is short enough for sockets.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "farend")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Give makes path somebody's, who is a user of the system or else skips the
// test. A directory is made where there is nothing.
func Give(t testing.TB, path, owner string) {
	t.Helper()
	u := User(t, owner)
	uid, _ := strconv.Atoi(u.Uid) // a number, as User is on Unix
	gid, _ := strconv.Atoi(u.Gid)
	if err := errors.Join(os.MkdirAll(path, 0o755), os.Chown(path, uid, gid)); err != nil {
		t.Fatal(err)
	}
}

// Write writes files by name and content, below a directory; what they want
// above them is made.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// Keys writes a certificate for localhost and 127.0.0.1 to cert.pem, its key to
// key.pem, and gives the pool that trusts it.
func Keys(t testing.TB, dir string) *x509.CertPool {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "cert.pem"), pair.PEM, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Roots
}
