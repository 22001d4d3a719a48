package ftp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/server"
)

// talker speaks to a server word by word.
type talker struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func talk(t *testing.T, addr string) *talker {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	k := &talker{t, nc, bufio.NewReader(nc)}
	k.want("220")
	return k
}

// loggedIn is talk with the login behind it.
func loggedIn(t *testing.T, addr string) *talker {
	t.Helper()
	k := talk(t, addr)
	k.ask("USER "+ftptest.User, "331")
	k.ask("PASS "+ftptest.Password, "230")
	k.ask("TYPE I", "200")
	return k
}

func (k *talker) say(line string) {
	k.t.Helper()
	if _, err := io.WriteString(k.nc, line+"\r\n"); err != nil {
		k.t.Fatal(err)
	}
}

// want reads a reply of one line.
func (k *talker) want(code string) string {
	k.t.Helper()
	line, err := k.r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, code+" ") {
		k.t.Fatalf("want %s, got %q, %v", code, line, err)
	}
	return strings.TrimSpace(line)
}

func (k *talker) ask(line, code string) string {
	k.t.Helper()
	k.say(line)
	return k.want(code)
}

// passive opens a data connection.
func (k *talker) passive() net.Conn {
	k.t.Helper()
	reply := k.ask("EPSV", "229")
	var port int
	if _, err := fmt.Sscanf(reply[strings.IndexByte(reply, '('):], "(|||%d|)", &port); err != nil {
		k.t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(k.nc.RemoteAddr().String())
	nc, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { nc.Close() })
	return nc
}

// end wants the server to hang up.
func (k *talker) end() {
	k.t.Helper()
	if rest, err := k.r.ReadString('\n'); err != io.EOF {
		k.t.Errorf("want the end, got %q, %v", rest, err)
	}
}

// onEngines runs a test over both engines.
func onEngines(t *testing.T, o ftptest.Options, f func(t *testing.T, s *ftptest.Server)) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Engine = e()
			f(t, ftptest.New(t, o))
		})
	}
}

var bigFile = ftptest.Options{Files: map[string]string{"big": strings.Repeat("x", 32<<20), "small": "tiny"}}

func TestAbort(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		data := k.passive()
		k.ask("RETR big", "150")
		k.ask("STAT", "213")
		k.say("NOOP") // waits for the end
		k.ask("\xff\xf4\xff\xf2ABOR", "426")
		k.want("226")
		k.want("200")
		if _, err := io.Copy(io.Discard, data); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
		k.ask("ABOR", "226")
		k.passive()
		k.ask("QUIT", "221")
		k.end()
	})
}

// TestAbortWithoutItsEnd is Python's: sent as urgent data, the LF is lost.
func TestAbortWithoutItsEnd(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		if _, err := io.WriteString(k.nc, "ABOR\r"); err != nil {
			t.Fatal(err)
		}
		k.want("226")
		if _, err := io.WriteString(k.nc, "\nNOOP\r\n"); err != nil { // one that was not lost
			t.Fatal(err)
		}
		k.want("200")
	})
}

func TestQuitWaitsForTheTransfer(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		data := k.passive()
		k.ask("RETR big", "150")
		k.say("QUIT")
		if n, err := io.Copy(io.Discard, data); n != 32<<20 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		k.want("226")
		k.want("221")
		k.end()
	})
}

func TestPipelined(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		data := k.passive()
		k.say(strings.Repeat("NOOP\r\n", 50) + "RETR small\r\nPWD\r\n" + strings.Repeat("NOOP\r\n", 99) + "QUIT")
		for range 50 {
			k.want("200")
		}
		k.want("150")
		if text, err := io.ReadAll(data); err != nil || string(text) != "tiny" {
			t.Errorf("%q, %v", text, err)
		}
		k.want("226")
		// A QUIT is heard at once, the others in their order; which comes first is a race.
		for {
			line, err := k.r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "221") {
				break
			}
		}
		k.end()
	})
}

// A line that is too long is answered, once, and no more of it is heard.
func TestLineTooLong(t *testing.T) {
	onEngines(t, ftptest.Options{}, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		k.ask("NOOP "+strings.Repeat("x", 20_000), "500")
		k.ask("NOOP", "200")
	})
}

func TestNoBounce(t *testing.T) {
	s := ftptest.New(t, bigFile)
	k := loggedIn(t, s.Addr)
	for _, line := range []string{"PORT 127,0,0,2,100,0", "PORT 127,0,0,1,0,25", "EPRT |1|10.0.0.1|2000|", "EPRT |2|::1|2000|", "EPRT |1|127.0.0.1|80|"} {
		k.ask(line, "504")
		k.ask("LIST", "425")
	}
	k.ask("PORT 1,2", "501")
	k.ask("EPRT |3|x|2000|", "522")
	k.ask("EPSV ALL", "200")
	k.ask("PASV", "503")
	k.ask("PORT 127,0,0,1,100,0", "503")
	k.ask("EPSV 2", "522")
}

// TestDataOfThePeerOnly has another address of this host try.
func TestDataOfThePeerOnly(t *testing.T) {
	s := ftptest.New(t, bigFile)
	k := loggedIn(t, s.Addr)
	reply := k.ask("PASV", "227")
	var a, b int
	if _, err := fmt.Sscanf(reply[strings.IndexByte(reply, '('):], "(127,0,0,1,%d,%d)", &a, &b); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", a<<8|b)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	thief, err := d.Dial("tcp", address)
	if err != nil {
		t.Skip("127.0.0.2 is no address of this host:", err)
	}
	defer thief.Close()
	data, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	k.ask("RETR small", "150")
	if text, err := io.ReadAll(data); string(text) != "tiny" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	k.want("226")
	if n, err := thief.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error("the thief got something")
	}
}

// TestSharedPorts has two peers wait on one port.
func TestSharedPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	o := bigFile
	o.Handler = func(h *ftp.Handler) { h.Ports = ftp.PortRange{First: port, Last: port} }
	s := ftptest.New(t, o)
	first := loggedIn(t, s.Addr)
	want := fmt.Sprintf("(|||%d|)", port)
	if reply := first.ask("EPSV", "229"); !strings.Contains(reply, want) {
		t.Fatal(reply)
	}
	again := loggedIn(t, s.Addr)
	again.ask("EPSV", "425") // of the same peer: the only port is taken
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	nc, err := d.Dial("tcp", s.Addr)
	if err != nil {
		t.Skip("127.0.0.2 is no address of this host:", err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	other := &talker{t, nc, bufio.NewReader(nc)}
	other.want("220")
	other.ask("USER anonymous", "331")
	other.ask("PASS x", "230")
	if reply := other.ask("EPSV", "229"); !strings.Contains(reply, want) {
		t.Error(reply)
	}
}

func TestLoginsAreLimited(t *testing.T) {
	onEngines(t, ftptest.Options{}, func(t *testing.T, s *ftptest.Server) {
		k := talk(t, s.Addr)
		for i := range 3 {
			k.ask("USER "+[]string{"nobody", ftptest.User, ""}[i%2], "331")
			k.ask("PASS wrong", "530")
		}
		k.want("421")
		k.end()
	})
}

func TestStrangersAreLimited(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{})
	k := talk(t, s.Addr)
	k.say(strings.Repeat("Host: example.com\r\n", 9) + "GET / HTTP/1.1")
	for range 10 {
		k.want("500")
	}
	k.want("421")
	k.end()
}

func TestNothingInClearBecomesPrivate(t *testing.T) {
	onEngines(t, ftptest.Options{}, func(t *testing.T, s *ftptest.Server) {
		k := talk(t, s.Addr)
		k.say("AUTH TLS\r\nUSER x")
		if line, err := k.r.ReadString('\n'); err == nil && !strings.HasPrefix(line, "234") {
			t.Errorf("%q", line)
		}
		if rest, err := io.ReadAll(k.r); len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
	})
}

func TestControlInClearAgain(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		c := s.Client(t.Context(), t, "starttls", s.Options())
		if err := c.ClearControl(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.TLS(); ok {
			t.Error("still under TLS")
		}
		if got, err := fetch(t.Context(), c, "small", ftp.RetrieveOptions{}); err != nil || got != "tiny" { // data still is
			t.Errorf("%q, %v", got, err)
		}
	})
}

// TestSilentEndOfTLS is curl's CCC: it goes on in clear without a word.
func TestSilentEndOfTLS(t *testing.T) {
	onEngines(t, bigFile, func(t *testing.T, s *ftptest.Server) {
		k := talk(t, s.Addr)
		k.ask("AUTH TLS", "234")
		raw := k.nc
		tc := tls.Client(raw, &tls.Config{RootCAs: s.Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12})
		k.nc, k.r = tc, bufio.NewReader(tc)
		k.ask("USER "+ftptest.User, "331")
		k.ask("PASS "+ftptest.Password, "230")
		k.ask("CCC", "200")
		if _, err := k.r.ReadByte(); err != io.EOF {
			t.Fatal(err)
		}
		k.nc, k.r = raw, bufio.NewReader(raw)
		k.ask("PWD", "257")
	})
}

func TestRequireTLS(t *testing.T) {
	o := bigFile
	o.Handler = func(h *ftp.Handler) { h.RequireTLS = true }
	s := ftptest.New(t, o)
	k := talk(t, s.Addr)
	k.ask("USER x", "530")
	c := s.Client(t.Context(), t, "starttls", s.Options())
	if err := c.ClearControl(t.Context()); !isReply(err, 534) {
		t.Error(err)
	}
	if _, err := c.Cmd(t.Context(), "PROT", "C"); !isReply(err, 534) {
		t.Error(err)
	}
}

// TestStoppingLetsTransfersEnd stops a server while a file is on its way.
func TestStoppingLetsTransfersEnd(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			files := ftp.ReadOnly(mapOf("big", strings.Repeat("x", 32<<20)))
			srv := &server.Server{Handler: &ftp.Handler{Backend: ftp.Anonymous(files)}, Engine: e()}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(ctx, l) }()
			k := loggedIn(t, l.Addr().String())
			data := k.passive()
			k.ask("RETR big", "150")
			cancel()
			if n, err := io.Copy(io.Discard, data); n != 32<<20 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			k.want("226")
			k.want("421")
			k.end()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUploadIsWholeOrNot(t *testing.T) {
	onEngines(t, ftptest.Options{}, func(t *testing.T, s *ftptest.Server) {
		k := loggedIn(t, s.Addr)
		data := k.passive().(*net.TCPConn)
		k.ask("STOR f", "150")
		if _, err := data.Write([]byte("half")); err != nil {
			t.Fatal(err)
		}
		_ = data.SetLinger(0)
		data.Close()
		k.want("426")
		if _, err := fs.Stat(s.Tree, "f"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		data = k.passive().(*net.TCPConn)
		k.ask("STOR f", "150")
		k.ask("ABOR", "426")
		k.want("226")
		if _, err := fs.Stat(s.Tree, "f"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		data.Close()
	})
}

func TestListOptions(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{".dot": "", "a b": "", "-l": "", "d/x.txt": "", "d/y.txt": "", "d/e/z.txt": ""}})
	k := loggedIn(t, s.Addr)
	for arg, want := range map[string]string{
		"":              "-l|a b|d|",
		"-a":            "-l|.dot|a b|d|",
		"-aR":           "-l|.dot|a b|d||./d:|e|x.txt|y.txt||./d/e:|z.txt|",
		"-a a b":        "a b|",
		"d/*.txt":       "d/x.txt|d/y.txt|",
		"/d/e/../*.txt": "/d/x.txt|/d/y.txt|",
		"*/[y]*":        "d/y.txt|",
	} {
		data := k.passive()
		k.ask(strings.TrimSpace("NLST "+arg), "150")
		text, err := io.ReadAll(data)
		if got := strings.ReplaceAll(string(text), "\r\n", "|"); err != nil || got != want {
			t.Errorf("NLST %s: %q, %v; want %q", arg, got, err, want)
		}
		k.want("226")
	}
	k.ask("NLST none*", "550")
	k.ask("NLST [", "553")
}
