package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/farend-go/farend/load"
)

// fileServer begins the kind of a peer that serves a directory.
const fileServer = "fileserver="

// serveFiles is what Go's own FileServer does.
func serveFiles(address, dir string) error {
	return http.ListenAndServe(address, http.FileServer(http.Dir(dir))) //nolint:gosec // without the limits that would cost it time
}

// webFiles are what is asked for, and on how many connections.
var webFiles = []struct {
	name        string
	size        int
	connections int
	quick       bool
}{
	{"1KiB.bin", 1 << 10, 64, true},
	{"1MiB.bin", 1 << 20, 16, false},
}

// web measures files over HTTP/1.1.
func (l *lab) web(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-web")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	who, without := webServers(dir)
	running, stop, err := l.startAll(who)
	defer stop()
	if err != nil {
		return err
	}
	for _, f := range webFiles {
		name := fmt.Sprintf("HTTP, %s, %d connections", strings.TrimSuffix(f.name, ".bin"), f.connections)
		if l.quick && !f.quick || !strings.Contains(name, l.only) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), bytes.Repeat([]byte("x"), f.size), 0o644); err != nil {
			return err
		}
		runs := make([][]figures, len(who))
		for range l.reps {
			for i, p := range running {
				message, err := webMessage(ctx, p.addr["tcp"], f.name)
				if err != nil {
					return fmt.Errorf("%s: %w", who[i].name, err)
				}
				one, err := l.measure(ctx, p, "tcp", load.Plan{Connections: f.connections, Message: message})
				if err != nil {
					return fmt.Errorf("%s: %s: %w", name, who[i].name, err)
				}
				runs[i] = append(runs[i], one)
			}
		}
		medians := make([]figures, len(who))
		for i := range who {
			medians[i] = middle(runs[i])
		}
		l.print(row{name: name, who: who, base: 1}, medians)
		if without != "" {
			fmt.Fprintf(l.out, "| | %s | skipped | | | | | |\n", without)
		}
	}
	return nil
}

// webServers are ours, the FileServer, and nginx, or the name of what is not
// installed.
func webServers(dir string) (who []contender, without string) {
	who = []contender{
		{"farend", "tcp", func(l *lab) (*process, error) {
			return startFarend("farend", l.farend, "http", l.servers, "--root", dir)
		}},
		other("net/http FileServer", fileServer+dir, "tcp"),
	}
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return append(who,
				contender{"nginx", "tcp", func(l *lab) (*process, error) { return startNginx(l, path, dir, "") }},
				contender{"nginx, open_file_cache", "tcp", func(l *lab) (*process, error) {
					return startNginx(l, path, dir, "open_file_cache max=1000;") // farend keeps files by itself
				}}), ""
		}
	}
	return who, "nginx"
}

// startNginx runs one process, with sendfile and without a log; more is for its
// configuration.
func startNginx(l *lab, path, dir, more string) (*process, error) {
	address, err := freeAddress("tcp")
	if err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp(dir, "nginx")
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type application/octet-stream;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[4]s server { listen %[2]s; root %[3]s; } }
`, own, address, dir, more)
	file := filepath.Join(own, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "-c", file, "-e", filepath.Join(own, "log"))
	cmd.Stderr = os.Stderr
	if err := startOn(cmd, l.servers); err != nil {
		return nil, err
	}
	p := &process{"nginx", cmd, map[string]string{"tcp": address}}
	if err := answers("tcp", address); err != nil {
		p.stop()
		return nil, fmt.Errorf("nginx: %w", err)
	}
	return p, nil
}

// webMessage asks once, to know how long the answer is: its fields are the same
// each time.
func webMessage(ctx context.Context, address, name string) (load.Message, error) {
	request := []byte("GET /" + name + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return load.Message{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return load.Message{}, err
	}
	if _, err := c.Write(request); err != nil {
		return load.Message{}, err
	}
	counted := &countingReader{r: c}
	resp, err := http.ReadResponse(bufio.NewReader(counted), nil)
	if err != nil {
		return load.Message{}, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return load.Message{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return load.Message{}, fmt.Errorf("%s: %s", name, resp.Status)
	}
	return load.Message{Send: request, Expect: load.Bytes(counted.n)}, nil
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
