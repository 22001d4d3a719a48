package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/telnet"
)

// telnetRows are a stream of random bytes, one in 256 of them a 255: out of a
// program on a pseudo-terminal, into one, and through the clients.
func (l *lab) telnetRows() []row {
	size := 100 << 20
	if l.quick {
		size = 1 << 20
	}
	s, small := &telnetStream{size: size}, &telnetStream{size: 1 << 20}
	out := func(dir string) string {
		return "stty raw -echo; cat " + dir + "/stream; head -c 1" // it stays: telnetd may lose what is said last
	}
	in := func(string) string { return fmt.Sprintf("stty raw -echo; echo ready; head -c %d | sha256sum", size) }
	servers := func(does func(dir string) string) []server {
		return []server{s.farendTelnet(does), {"inetutils-telnetd, socat", "telnetd", s.startTelnetd(does)}}
	}
	return []row{
		{name: "telnet, 100 MiB out of a program", unit: "GiB", units: s.gib(), scale: 1, needs: "stty", servers: servers(out), work: s.receive},
		{name: "telnet, 100 MiB into a program", unit: "GiB", units: s.gib(), scale: 1, needs: "stty", servers: servers(in), work: s.send},
		{
			name: "telnet, 100 MiB at the client", unit: "GiB", units: s.gib(), scale: 1, work: s.serve,
			servers: []server{
				s.ourClient(),
				s.client("curl", "curl", "</dev/null", "-sN", "telnet://HOST:PORT"), // it waits for its input and for the server by turns
				s.client("busybox telnet", "busybox", "telnet", "HOST", "PORT"),
				s.client("inetutils telnet", "inetutils-telnet", "HOST", "PORT"),
			},
		},
		{ // as large as one may wait for
			name: "telnet, 1 MiB at the client", unit: "GiB", units: small.gib(), scale: 1, work: small.serve,
			servers: []server{
				small.ourClient(),
				small.pythonClient(),
			},
		},
	}
}

func (s *telnetStream) gib() float64 { return float64(s.size) / (1 << 30) }

// ourClient is farend get.
func (s *telnetStream) ourClient() server {
	return server{"farend get", "", func(ctx context.Context, l *lab, dir string) (*site, error) {
		return startIdle(s.size/100*98, []string{l.farend, "get", "telnet://HOST:PORT"})(ctx, l, dir)
	}}
}

func (s *telnetStream) client(name, program string, args ...string) server {
	return server{name, program, startIdle(s.size/100*98, append([]string{program}, args...))}
}

// pythonClient is telnetlib, which Python has up to 3.12.
func (s *telnetStream) pythonClient() server {
	const name = "Python's telnetlib"
	sv := s.client(name, "python3", "-W", "ignore", "-c", "import sys,telnetlib;sys.stdout.buffer.write(telnetlib.Telnet(\"HOST\",PORT).read_all())")
	begin := sv.start
	sv.start = func(ctx context.Context, l *lab, dir string) (*site, error) {
		if client(ctx, "python3", "-W", "ignore", "-c", "import telnetlib") != nil {
			return nil, missing(name)
		}
		return begin(ctx, l, dir)
	}
	return sv
}

// telnetStream is the bytes of the rows.
type telnetStream struct {
	size  int
	plain []byte // made when they are first wanted
	wire  []byte
	sum   [sha256.Size]byte
}

func (s *telnetStream) make() {
	if s.plain != nil {
		return
	}
	s.plain = make([]byte, s.size)
	r := rand.NewChaCha8([32]byte{77})
	_, _ = r.Read(s.plain) // it never fails
	var e telnet.Encoder
	s.wire = e.End(e.Append(nil, s.plain))
	s.sum = sha256.Sum256(s.plain)
}

func (s *telnetStream) file(dir string) error {
	s.make()
	return os.WriteFile(filepath.Join(dir, "stream"), s.plain, 0o644)
}

func (s *telnetStream) farendTelnet(does func(dir string) string) server {
	return server{name: "farend", start: func(ctx context.Context, l *lab, dir string) (*site, error) {
		if err := s.file(dir); err != nil {
			return nil, err
		}
		return farend("telnet", "--telnet-exec", does(dir)).start(ctx, l, dir)
	}}
}

// startTelnetd runs inetutils' server as inetd would; in the place of login it
// has the program.
func (s *telnetStream) startTelnetd(does func(dir string) string) func(context.Context, *lab, string) (*site, error) {
	return func(ctx context.Context, _ *lab, dir string) (*site, error) {
		if err := s.file(dir); err != nil {
			return nil, err
		}
		if err := has("socat"); err != nil {
			return nil, err
		}
		login := filepath.Join(dir, "login")
		if err := os.WriteFile(login, []byte("#!/bin/sh\n"+does(dir)+"\n"), 0o755); err != nil {
			return nil, err
		}
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		p, err := start(exec.CommandContext(ctx, find("socat"), "TCP-LISTEN:"+port+",bind=127.0.0.1,reuseaddr,fork", "EXEC:"+find("telnetd")+" -h -E "+login+",nofork"))
		if err != nil {
			return nil, err
		}
		address := net.JoinHostPort("127.0.0.1", port)
		if err := listens(ctx, p, address); err != nil {
			p.stop()
			return nil, err
		}
		return &site{process: p, at: map[string]string{"address": address}}, nil
	}
}

// dialTelnet says to a server that bytes are bytes, in both directions.
func dialTelnet(ctx context.Context, s *site) (*telnet.Client, error) {
	binary := []telnet.Option{telnet.Binary, telnet.SGA}
	c, err := telnet.Dial(ctx, "tcp:"+s.at["address"], telnet.ClientOptions{Options: telnet.Options{
		Will: binary, Do: append(binary, telnet.Echo), Terminals: []string{"DUMB"}, Window: true,
	}})
	if err != nil {
		return nil, err
	}
	return c, c.Do(func(n *telnet.NVT) {
		n.SetWindow(80, 24)
		err = errors.Join(n.Ask(telnet.DO, telnet.Binary), n.Ask(telnet.WILL, telnet.Binary))
	})
}

// receive reads what a program says.
func (s *telnetStream) receive(ctx context.Context, _ *lab, at *site) error {
	c, err := dialTelnet(ctx, at)
	if err != nil {
		return err
	}
	defer c.Close()
	all := make([]byte, s.size)
	if n, err := io.ReadFull(c, all); err != nil {
		return fmt.Errorf("%d bytes came: %w", n, err)
	}
	if sha256.Sum256(all) != s.sum {
		return errors.New("other bytes came")
	}
	return nil
}

// send types the stream, and hears its sum.
func (s *telnetStream) send(ctx context.Context, _ *lab, at *site) error {
	c, err := dialTelnet(ctx, at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ReadUntil(ctx, "ready"); err != nil {
		return err
	}
	for rest := s.plain; len(rest) > 0; {
		n := min(len(rest), 64<<10)
		if _, err := c.Write(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	said, err := c.ReadUntil(ctx, "-")
	if err == nil && !strings.Contains(string(said), fmt.Sprintf("%x", s.sum)) {
		err = fmt.Errorf("the program read something else: %q", said)
	}
	return err
}

// serve says the stream to whoever connects first, and hangs up; the site
// starts its client.
func (s *telnetStream) serve(ctx context.Context, _ *lab, at *site) error {
	s.make()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- at.does(strings.NewReplacer("HOST", host, "PORT", port))
		l.Close() // who has ended without a connection is not waited for
	}()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	c, err := l.Accept()
	if err != nil {
		return errors.Join(err, <-ended)
	}
	_, err = c.Write(s.wire)
	err = errors.Join(err, c.Close())
	if err != nil {
		return err
	}
	return <-ended
}

// startIdle starts a shell that runs a client each time it is told to. Nobody
// types anything to the client. What it writes may lack what some take for no
// data: Python's telnetlib leaves out each NUL and each XON.
func startIdle(least int, args []string) func(context.Context, *lab, string) (*site, error) {
	return func(ctx context.Context, _ *lab, dir string) (*site, error) {
		heard := filepath.Join(dir, "heard")
		cmd := exec.CommandContext(ctx, "sh", "-c", `mkfifo "$0.in"; exec 3<>"$0.in"; while read -r line; do eval "$line" >"$0"; stat -c %s "$0"; done`, heard)
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		p, err := start(cmd)
		if err != nil {
			return nil, err
		}
		answers := bufio.NewReader(out)
		return &site{process: p, does: func(where *strings.Replacer) error {
			quoted := []string{"<&3"}
			for _, a := range args {
				if strings.HasPrefix(a, "<") {
					quoted[0] = a
					continue
				}
				quoted = append(quoted, "'"+strings.ReplaceAll(where.Replace(a), "'", `'\''`)+"'")
			}
			if _, err := io.WriteString(in, strings.Join(quoted, " ")+"\n"); err != nil {
				return err
			}
			size, err := answers.ReadString('\n')
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(strings.TrimSpace(size))
			if err == nil && n < least {
				err = fmt.Errorf("the client wrote %d bytes", n)
			}
			return err
		}}, nil
	}
}
