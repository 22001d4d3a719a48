//go:build interop

package ftp_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
)

// onDisk is a server over a directory with a large file, on both engines.
func onDisk(t *testing.T, change func(*ftp.Handler), f func(t *testing.T, s *ftptest.Server, root, blob string)) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			blob := filepath.Join(t.TempDir(), "blob")
			content := make([]byte, 3_000_000)
			for i := range content {
				content[i] = byte(i * i >> 7)
			}
			for _, file := range []string{blob, filepath.Join(root, "blob")} {
				if err := os.WriteFile(file, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r, err := os.OpenRoot(root)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			tree, err := filetree.Dir(r, filetree.Options{})
			if err != nil {
				t.Fatal(err)
			}
			f(t, ftptest.New(t, ftptest.Options{Tree: tree, Engine: e(), Handler: change}), root, blob)
		})
	}
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Error(err)
		return
	}
	y, err := os.ReadFile(b)
	if err != nil || !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ: %d and %d bytes, %v", a, b, len(x), len(y), err)
	}
}

func reuse(h *ftp.Handler) { h.RequireReuse = true }

// TestTutorial73_CurlAtOurServer demands resumption but where curl ends TLS on the control
// connection, and with it forgets the session.
func TestTutorial73_CurlAtOurServer(t *testing.T) {
	curlWays(t, reuse, [][]string{{}, {"--disable-epsv"}, {"-P", "127.0.0.1"}, {"-P", "127.0.0.1", "--disable-eprt"}, {"-k", "--ssl-reqd"}})
	curlWays(t, nil, [][]string{{"-k", "--ssl-reqd", "--ftp-ssl-ccc"}, {"-k", "--ssl-reqd", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", "active"}})
}

func curlWays(t *testing.T, change func(*ftp.Handler), all [][]string) {
	curl := foreign.Program(t, "curl")
	onDisk(t, change, func(t *testing.T, s *ftptest.Server, root, blob string) {
		at := "ftp://" + ftptest.User + ":" + ftptest.Password + "@" + s.Addr + "/"
		for _, args := range all {
			t.Run(strings.Join(args, ""), func(t *testing.T) {
				dir := t.TempDir()
				base := append([]string{"-sS", "--max-time", "30"}, args...)
				foreign.Run(t, dir, curl, append(base, "-o", "down", at+"blob")...)
				same(t, filepath.Join(dir, "down"), blob)
				if err := os.Truncate(filepath.Join(dir, "down"), 12345); err != nil {
					t.Fatal(err)
				}
				foreign.Run(t, dir, curl, append(base, "-C", "-", "-o", "down", at+"blob")...)
				same(t, filepath.Join(dir, "down"), blob)
				foreign.Run(t, dir, curl, append(base, "--ftp-create-dirs", "-T", blob, at+"new/dir/up")...)
				same(t, filepath.Join(root, "new/dir/up"), blob)
				if out := foreign.Run(t, dir, curl, append(base, "-l", at+"new/dir/")...); out != "up\n" && out != "up\r\n" {
					t.Errorf("NLST: %q", out)
				}
				if out := foreign.Run(t, dir, curl, append(base, at)...); !strings.Contains(out, "blob") || !strings.Contains(out, "drwx") {
					t.Errorf("LIST: %q", out)
				}
			})
		}
	})
}

func TestTutorial73_LftpAtOurServer(t *testing.T) {
	lftp := foreign.Program(t, "lftp")
	onDisk(t, reuse, func(t *testing.T, s *ftptest.Server, root, blob string) {
		for name, ssl := range map[string]string{"clear": "set ftp:ssl-allow no;", "tls": "set ftp:ssl-force yes; set ftp:ssl-protect-data yes;"} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				begin := ssl + "set net:max-retries 1; set cmd:fail-exit yes; set ssl:verify-certificate no; open " + ftptest.User + ":" + ftptest.Password + "@" + s.Addr + "; "
				for i := range 20 {
					if err := os.MkdirAll(filepath.Join(dir, "up", fmt.Sprint(i)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(dir, "up", fmt.Sprint(i), "é ü.txt"), []byte(strings.Repeat("x", i*1000)), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				foreign.Run(t, dir, lftp, "-c", begin+"mirror -R -P 3 up "+name)
				foreign.Run(t, dir, lftp, "-c", begin+"mirror -P 3 "+name+" down; pget -n 3 /blob -o blob; ls; cls -l; mv "+name+" "+name+"2; rm -r "+name+"2")
				foreign.Run(t, dir, "diff", "-r", "up", "down")
				same(t, filepath.Join(dir, "blob"), blob)
				if _, err := os.Stat(filepath.Join(root, name+"2")); !os.IsNotExist(err) {
					t.Error(err)
				}
			})
		}
	})
}

func TestTutorial73_WgetAtOurServer(t *testing.T) {
	wget := foreign.Program(t, "wget")
	onDisk(t, nil, func(t *testing.T, s *ftptest.Server, _, blob string) {
		if err := ftptest.Put(s.Tree, "a/b/c.txt", "deep"); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		at := "ftp://" + s.Addr + "/"
		foreign.Run(t, dir, wget, "-q", "-nv", "-m", "-nH", "--user="+ftptest.User, "--password="+ftptest.Password, at)
		same(t, filepath.Join(dir, "blob"), blob)
		if text, err := os.ReadFile(filepath.Join(dir, "a/b/c.txt")); err != nil || string(text) != "deep" {
			t.Errorf("%q, %v", text, err)
		}
		if err := os.Truncate(filepath.Join(dir, "blob"), 1000); err != nil {
			t.Fatal(err)
		}
		foreign.Run(t, dir, wget, "-q", "-c", at+"blob")
		same(t, filepath.Join(dir, "blob"), blob)
	})
}

// pythonTalk is what ftplib can do; it prints what does not fit.
const pythonTalk = `
import ftplib, io, ssl, sys
host, port, tls, blob = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], 'rb').read()
f = ftplib.FTP_TLS(context=ssl._create_unverified_context()) if tls == 'tls' else ftplib.FTP()
f.connect(host, port, 20)
f.login('user', 'password')
if tls == 'tls': f.prot_p()
def check(ok, what):
    if not ok: print('wrong:', what)
got = io.BytesIO(); f.retrbinary('RETR blob', got.write); check(got.getvalue() == blob, 'RETR')
got = io.BytesIO(); f.retrbinary('RETR blob', got.write, rest=1000); check(got.getvalue() == blob[1000:], 'REST')
f.storbinary('STOR up', io.BytesIO(blob))
check(f.size('up') == len(blob), 'SIZE')
f.storlines('STOR lines', io.BytesIO(b'one\ntwo\n'))
lines = []; f.retrlines('RETR lines', lines.append); check(lines == ['one', 'two'], lines)
check(sorted(f.nlst()) == ['blob', 'lines', 'up'], f.nlst())
check(sorted(n for n, x in f.mlsd(facts=['type', 'size']) if x['type'] == 'file') == ['blob', 'lines', 'up'], 'MLSD')
lines = []; f.dir(lines.append); check(len(lines) == 3, lines)
check(f.mkd('d"q') == '/d"q', 'MKD'); f.cwd('d"q'); check(f.pwd() == '/d"q', 'PWD'); f.cwd('..'); f.rmd('d"q')
f.rename('up', 'down'); f.delete('down'); f.delete('lines')
if tls != 'tls':
    f.set_pasv(False); got = io.BytesIO(); f.retrbinary('RETR blob', got.write); check(got.getvalue() == blob, 'active'); f.set_pasv(True)
    c = f.transfercmd('RETR blob'); c.recv(1); r = f.abort(); check(r[:3] in ('426', '226'), r)
    if r[:3] == '426': f.voidresp()
    c.close(); f.voidcmd('NOOP')
else:
    f.ccc(); f.voidcmd('NOOP')
f.quit()
`

func TestTutorial73_PythonAtOurServer(t *testing.T) {
	python := foreign.Python(t, 3, "ftplib")
	onDisk(t, nil, func(t *testing.T, s *ftptest.Server, _, blob string) {
		host, port, _ := net.SplitHostPort(s.Addr)
		for _, kind := range []string{"clear", "tls"} {
			if out := foreign.Run(t, t.TempDir(), python, "-W", "ignore", "-c", pythonTalk, host, port, kind, blob); out != "" {
				t.Errorf("%s: %s", kind, out)
			}
		}
	})
}

// peer is somebody else's server that has been started.
type peer struct {
	addr, user, password, dir string // dir: where the login may write
	roots                     *x509.CertPool
}

func vsftpd(t *testing.T) peer {
	name := foreign.Program(t, "vsftpd")
	foreign.NeedRoot(t)
	foreign.User(t, "ftp")
	dir := foreign.Dir(t)
	roots := foreign.Keys(t, dir)
	for _, sub := range []string{"anon/pub", "empty"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "anon/pub"), 0o777); err != nil {
		t.Fatal(err)
	}
	conf := `listen=YES
listen_address=127.0.0.1
listen_port=%s
background=NO
anonymous_enable=YES
anon_root=%[2]s/anon
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
no_anon_password=YES
write_enable=YES
secure_chroot_dir=%[2]s/empty
seccomp_sandbox=NO
ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file=%[2]s/cert.pem
rsa_private_key_file=%[2]s/key.pem
port_enable=YES
connect_from_port_20=NO
`
	file := filepath.Join(dir, "vsftpd.conf")
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		if err := os.WriteFile(file, fmt.Appendf(nil, conf, port, dir), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(name, file)
	})
	return peer{"127.0.0.1:" + port, "anonymous", "guest", "pub", roots}
}

func pureFTPD(t *testing.T) peer {
	name := foreign.Program(t, "pure-ftpd", "/opt/farend-peers/pure-ftpd/usr/sbin/pure-ftpd", "/opt/peers/pure-ftpd/usr/sbin/pure-ftpd", "$PURE_FTPD")
	pw := foreign.Program(t, filepath.Join(filepath.Dir(filepath.Dir(name)), "bin/pure-pw"))
	foreign.NeedRoot(t)
	mail, dir := foreign.User(t, "mail"), foreign.Dir(t)
	roots := foreign.Keys(t, dir)
	var both []byte
	for _, file := range []string{"key.pem", "cert.pem"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	files := filepath.Join(dir, "files")
	hash := strings.TrimSpace(foreign.Run(t, dir, "openssl", "passwd", "-1", "peerpass"))
	line := fmt.Sprintf("peer:%s:%s:%s::%s/./::::::::::::\n", hash, mail.Uid, mail.Gid, files)
	if os.Mkdir(files, 0o777) != nil || os.Chmod(files, 0o777) != nil ||
		os.WriteFile(filepath.Join(dir, "both.pem"), both, 0o600) != nil || os.WriteFile(filepath.Join(dir, "passwd"), []byte(line), 0o600) != nil {
		t.Fatal("cannot write in", dir)
	}
	foreign.Run(t, dir, pw, "mkdb", filepath.Join(dir, "pdb"), "-f", filepath.Join(dir, "passwd"))
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(name, "-S", "127.0.0.1,"+port, "-l", "puredb:"+filepath.Join(dir, "pdb"), "-E", "-H", "-u", "1",
			"-g", filepath.Join(dir, "pid"), "-Y", "1", "-2", filepath.Join(dir, "both.pem"), "-P", "127.0.0.1")
	})
	return peer{"127.0.0.1:" + port, "peer", "peerpass", ".", roots}
}

func TestTutorial73_OurClientElsewhere(t *testing.T) {
	for name, start := range map[string]func(*testing.T) peer{"vsftpd": vsftpd, "pure-ftpd": pureFTPD} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			for _, w := range ways {
				if w.scheme == "tls" || strings.HasPrefix(w.name, "ipv6") {
					continue
				}
				t.Run(w.name, func(t *testing.T) {
					var o ftp.Options
					o.Dialer.TLS = &tls.Config{RootCAs: p.roots}
					w.change(&o)
					c, err := ftp.Dial(t.Context(), w.scheme+":"+p.addr, o)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					if err := c.Login(t.Context(), p.user, p.password, ""); err != nil {
						t.Fatal(err)
					}
					if err := c.Cwd(t.Context(), p.dir); err != nil {
						t.Fatal(err)
					}
					_, private := c.TLS()
					elsewhere(t, c, name != "pure-ftpd" || !private || o.ClearData)
				})
			}
		})
	}
}

// elsewhere is what every server can do. hangUp is false for pure-ftpd under
// TLS, which says nothing more when its data connection breaks.
func elsewhere(t *testing.T, c *ftp.Client, hangUp bool) {
	t.Helper()
	ctx := t.Context()
	content := strings.Repeat("0123456789abcdef", 100_000)
	for range 2 { // the second transfers resume by tickets of the first
		if n, err := c.Store(ctx, "up", strings.NewReader(content), ftp.StoreOptions{}); err != nil || n != int64(len(content)) {
			t.Fatalf("STOR: %d, %v", n, err)
		}
		if got, err := fetch(ctx, c, "up", ftp.RetrieveOptions{Size: int64(len(content))}); err != nil || got != content {
			t.Fatalf("RETR: %d bytes, %v", len(got), err)
		}
	}
	if got, err := fetch(ctx, c, "up", ftp.RetrieveOptions{Offset: 1_000_000}); err != nil || got != content[1_000_000:] {
		t.Errorf("REST: %d bytes, %v", len(got), err)
	}
	if n, err := c.Size(ctx, "up"); err != nil || n != int64(len(content)) {
		t.Errorf("SIZE: %d, %v", n, err)
	}
	if err := c.Mkdir(ctx, "é d"); err != nil {
		t.Error(err)
	}
	entries, err := c.List(ctx, "")
	seen := map[string]fs.FileMode{}
	for _, e := range entries {
		seen[e.Name] = e.Mode.Type()
	}
	if err != nil || len(seen) != 2 || seen["é d"] != fs.ModeDir {
		t.Errorf("listing: %v, %v", seen, err)
	}
	if e, err := c.Stat(ctx, "up"); err != nil || e.Size != int64(len(content)) {
		t.Errorf("stat: %+v, %v", e, err)
	}
	if hangUp {
		b, err := c.Retrieve(ctx, "up", ftp.RetrieveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(make([]byte, 10)); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("close in the middle: %v", err)
		}
	}
	if _, err := fetch(ctx, c, "missing", ftp.RetrieveOptions{}); !isReply(err, 550) {
		t.Errorf("missing: %v", err)
	}
	for _, err := range []error{c.Rename(ctx, "é d", "d"), c.Rmdir(ctx, "d"), c.Delete(ctx, "up"), c.Noop(ctx), c.Quit(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
}
