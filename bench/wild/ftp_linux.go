package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// ftpRows are a large file each way, and many small ones.
func (l *lab) ftpRows() []row {
	size := 1 << 30
	count := 2000
	if l.quick {
		size, count = 8<<20, 50
	}
	gib := float64(size) / (1 << 30)
	servers := []server{
		farend("ftp", "--root", "DIR/files", "--writable", "--passive-ports", "30000-30100"),
		{"vsftpd", "vsftpd", startVsftpd}, {"pure-ftpd", "pure-ftpd", startPureFTPd},
	}
	big := func(ctx context.Context, l *lab, s *site) error {
		return fill(filepath.Join(s.at["files"], "big"), size)
	}
	down := func(args ...string) func(context.Context, *lab, *site) error {
		return func(ctx context.Context, _ *lab, s *site) error {
			return client(ctx, "curl", append(args, "-sS", "-o", "/dev/null", s.at["url"]+"/big")...)
		}
	}
	return []row{
		{name: "ftp download", unit: "GiB", units: gib, scale: 1, needs: "curl", servers: servers, before: big, work: down()},
		{name: "ftp download with TLS", unit: "GiB", units: gib, scale: 1, needs: "curl", servers: servers, before: big, work: down("-k", "--ssl-reqd")},
		{
			name: "ftp upload", unit: "GiB", units: gib, scale: 1, needs: "curl", servers: servers,
			before: func(_ context.Context, l *lab, s *site) error {
				_ = os.Remove(filepath.Join(s.at["files"], "up")) // of the run before
				return fill(filepath.Join(l.dir, "up"), size)
			},
			work: func(ctx context.Context, l *lab, s *site) error {
				return client(ctx, "curl", "-sS", "-T", filepath.Join(l.dir, "up"), s.at["url"]+"/")
			},
		},
		{
			name: "ftp, small files by lftp mirror", unit: "file", units: float64(count), scale: 1e6, needs: "lftp", servers: servers,
			before: func(_ context.Context, l *lab, s *site) error {
				if err := os.RemoveAll(filepath.Join(l.dir, "mirror")); err != nil {
					return err
				}
				return fillMany(filepath.Join(s.at["files"], "many"), count)
			},
			work: func(ctx context.Context, l *lab, s *site) error {
				return client(ctx, "lftp", "-c", fmt.Sprintf("set ftp:ssl-allow no; open %s; mirror many %s", s.at["url"], filepath.Join(l.dir, "mirror")))
			},
		},
	}
}

// fill makes a file of that size, once.
func fill(path string, size int) error {
	if info, err := os.Stat(path); err == nil && info.Size() == int64(size) {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(f, rand.Reader, int64(size)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func fillMany(dir string, count int) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range count {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d", i)), make([]byte, 200), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func certificate(ctx context.Context, dir string) error {
	return client(ctx, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"))
}

// startVsftpd serves DIR/files to everybody.
func startVsftpd(ctx context.Context, _ *lab, dir string) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := certificate(ctx, dir); err != nil {
		return nil, err
	}
	files := filepath.Join(dir, "root", "files") // its root itself must not be writable
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(files, 0o777); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`listen=YES
listen_address=127.0.0.1
listen_port=%s
background=NO
anonymous_enable=YES
anon_root=%s
anon_upload_enable=YES
anon_other_write_enable=YES
anon_umask=022
no_anon_password=YES
local_enable=NO
write_enable=YES
secure_chroot_dir=%s
seccomp_sandbox=NO
ssl_enable=YES
allow_anon_ssl=YES
force_local_data_ssl=NO
force_local_logins_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=%s
rsa_private_key_file=%s
pasv_address=127.0.0.1
xferlog_enable=NO
`, port, filepath.Join(dir, "root"), filepath.Join(dir, "empty"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err := os.WriteFile(filepath.Join(dir, "vsftpd.conf"), []byte(conf), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, find("vsftpd"), filepath.Join(dir, "vsftpd.conf"))
	return began(ctx, cmd, port, "ftp://127.0.0.1:"+port+"/files", files)
}

// startPureFTPd serves DIR/files to a user of its own; Debian's package can also
// be unpacked in /opt, because it and vsftpd exclude each other.
func startPureFTPd(ctx context.Context, _ *lab, dir string) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := certificate(ctx, dir); err != nil {
		return nil, err
	}
	const mail = 8 // a user whom every Debian has
	files := filepath.Join(dir, "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chown(files, mail, mail); err != nil {
		return nil, err
	}
	server, database := find("pure-ftpd"), find("pure-pw")
	if err := client(ctx, "sh", "-ec", `cd "$1"
cat key.pem cert.pem >both.pem
echo "bench:$(openssl passwd -1 bench):8:8::$1/files/./::::::::::::" >passwd
"$2" mkdb users -f passwd`, "-", dir, database); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, server, "-S", "127.0.0.1,"+port, "-l", "puredb:"+filepath.Join(dir, "users"),
		"-E", "-H", "-f", "none", "-u", "1", "-g", filepath.Join(dir, "pid"), "-Y", "1", "-2", filepath.Join(dir, "both.pem"), "-c", "200", "-C", "200", "-L", "20000:10")
	return began(ctx, cmd, port, "ftp://bench:bench@127.0.0.1:"+port, files)
}

func began(ctx context.Context, cmd *exec.Cmd, port, url, files string) (*site, error) {
	p, err := start(cmd)
	if err != nil {
		return nil, err
	}
	if err := listens(ctx, p, "127.0.0.1:"+port); err != nil {
		p.stop()
		return nil, err
	}
	return &site{process: p, at: map[string]string{"address": "127.0.0.1:" + port, "url": url, "files": files}}, nil
}
