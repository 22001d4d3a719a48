package cli

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/load"
)

// downloads logs in once on each connection and then gets a small file again
// and again, over a data connection for each; without a path in the URL it says
// PWD and NOOP.
type downloads struct {
	user, password string
	name           string       // empty: none
	size           atomic.Int64 // of the file; 0: not known yet
	timeout        time.Duration
	cfg            *tls.Config // of ftps; nil: in clear
}

// benchDownloads is ftp and ftps.
func benchDownloads(p *load.Plan, m *benchMessage) error {
	if m.send != "" || m.size != 0 || m.expect != "" {
		return errors.New("--as ftp knows what to send and to expect")
	}
	d := &downloads{user: m.user, password: m.password, name: strings.TrimPrefix(m.url.Path, "/"), timeout: p.Timeout}
	if d.user == "" {
		d.user, d.password = "anonymous", "anonymous@" // RFC 1635
	}
	if strings.ContainsAny(d.user+d.password+d.name, "\r\n\x00") {
		return errors.New("no line of FTP can carry a line end or NUL")
	}
	if d.timeout == 0 {
		d.timeout = 5 * time.Second
	}
	if m.url.Scheme == "ftps" {
		d.cfg = p.Dialer.Config(dial.Endpoint{Scheme: dial.TLS, Host: m.url.Hostname()})
	}
	p.Conversation = d
	return nil
}

// Open logs in.
func (d *downloads) Open(ctx context.Context, c net.Conn) (load.Exchanger, error) {
	t := &download{downloads: d, c: c}
	if d.cfg != nil {
		t.cfg = d.cfg.Clone()
		t.cfg.ClientSessionCache = tls.NewLRUClientSessionCache(2) // servers bind the data to this session by it
		control := tls.Client(c, t.cfg)
		if err := control.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		t.c = control
	}
	t.r = bufio.NewReaderSize(t.c, 1<<10)
	if _, err := load.Reply("220").Read(t.r); err != nil {
		return nil, err
	}
	if err := t.login(); err != nil {
		return nil, err
	}
	if t.cfg != nil {
		if err := t.say("2", "PBSZ 0", "PROT P"); err != nil { // RFC 4217
			return nil, err
		}
	}
	return t, t.say("2", "TYPE I")
}

// download is one control connection.
type download struct {
	*downloads
	c   net.Conn
	r   *bufio.Reader
	cfg *tls.Config
}

func (t *download) login() error {
	first, err := t.ask("USER " + t.user)
	if err != nil || strings.HasPrefix(first, "2") {
		return err
	}
	if !strings.HasPrefix(first, "331") {
		return fmt.Errorf("%w: %.100q to USER", load.ErrWrong, first)
	}
	last, err := t.ask("PASS " + t.password)
	if err == nil && !strings.HasPrefix(last, "2") {
		err = fmt.Errorf("%w: %.100q to PASS", load.ErrWrong, last)
	}
	return err
}

// ask says a line and gives the reply's first line.
func (t *download) ask(line string) (string, error) {
	if _, err := io.WriteString(t.c, line+"\r\n"); err != nil {
		return "", err
	}
	return load.Reply("").Read(t.r)
}

// say says lines, one after the other, and wants replies that begin so.
func (t *download) say(want string, lines ...string) error {
	for _, line := range lines {
		reply, err := t.ask(line)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(reply, want) {
			return fmt.Errorf("%w: %.100q to %.20q", load.ErrWrong, reply, line)
		}
	}
	return nil
}

// Exchange gets the file, and wants as many bytes as the first time.
func (t *download) Exchange(ctx context.Context) error {
	if t.name == "" {
		return t.say("2", "PWD", "NOOP")
	}
	passive, err := t.ask("EPSV")
	if err != nil {
		return err
	}
	data, err := t.connect(ctx, passive)
	if err != nil {
		return err
	}
	defer data.Close()
	if err := t.say("1", "RETR "+t.name); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, data)
	if err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	last, err := load.Reply("").Read(t.r)
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(last, "2"):
		return fmt.Errorf("%w: %.100q after the data", load.ErrWrong, last)
	case n == 0:
		return fmt.Errorf("%w: an empty file", load.ErrWrong)
	case !t.size.CompareAndSwap(0, n) && t.size.Load() != n:
		return fmt.Errorf("%w: %d bytes, %d before", load.ErrWrong, n, t.size.Load())
	}
	return nil
}

// connect opens the data connection of an answer to EPSV (RFC 2428 section 3),
// to the host of the control connection and from where that comes.
func (t *download) connect(ctx context.Context, passive string) (net.Conn, error) {
	_, rest, _ := strings.Cut(passive, "(|||")
	port, _, ok := strings.Cut(rest, "|)")
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || !ok || !strings.HasPrefix(passive, "229") {
		return nil, fmt.Errorf("%w: %.100q to EPSV", load.ErrWrong, passive)
	}
	host, _, err := net.SplitHostPort(t.c.RemoteAddr().String())
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: t.timeout, KeepAlive: -1}
	if from, ok := t.c.LocalAddr().(*net.TCPAddr); ok && from.IP.IsLoopback() {
		d.LocalAddr = &net.TCPAddr{IP: from.IP}
	}
	data, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	if err := data.SetDeadline(time.Now().Add(t.timeout)); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	if t.cfg == nil {
		return data, nil
	}
	return tls.Client(data, t.cfg), nil
}
