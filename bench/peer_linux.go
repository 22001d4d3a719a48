package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/panjf2000/gnet/v2"

	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// peer serves, in a process of its own, until it is killed: KIND ADDRESS.
func peer(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("peer: KIND ADDRESS, not %q", args)
	}
	kind, address := args[0], args[1]
	if dir, ok := strings.CutPrefix(kind, fileServer); ok {
		return serveFiles(address, dir)
	}
	switch kind {
	case "net":
		return netEcho(address, 4<<10)
	case "net-large":
		return netEcho(address, 64<<10)
	case "net-udp":
		return netPackets(address)
	case "gnet":
		return gnet.Run(&gnetEcho{}, "tcp://"+address, gnet.WithMulticore(true), gnet.WithTCPNoDelay(gnet.TCPNoDelay))
	case "gnet-udp":
		return gnet.Run(&gnetEcho{}, "udp://"+address, gnet.WithMulticore(true),
			gnet.WithSocketRecvBuffer(socketBuffer), gnet.WithSocketSendBuffer(socketBuffer))
	case "waits":
		return serveModes(address, &server.Server{Handler: modal(server.Waits)})
	case "blocks":
		return serveModes(address, &server.Server{Handler: modal(server.Blocks)})
	case "coroutine":
		return serveModes(address, &server.Server{Handler: server.Coroutine(func(_ context.Context, c net.Conn) error { return copying(c, 4<<10) })})
	case "apart-udp":
		return servePackets(address)
	case "lines-events":
		return serveLines(address, server.Events(), false)
	case "lines-goroutines":
		return serveLines(address, server.Goroutines(), false)
	case "lines-events-tls":
		return serveLines(address, server.Events(), true)
	case "lines-goroutines-tls":
		return serveLines(address, server.Goroutines(), true)
	}
	return fmt.Errorf("peer: %s is none", kind)
}

// socketBuffer is room for the datagrams in flight.
const socketBuffer = 4 << 20

// netEcho is what one writes without a framework, with so large a buffer for
// each connection.
func netEcho(address string, size int) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_ = copying(c, size)
		}()
	}
}

// netPackets has one goroutine for each core on one socket.
func netPackets(address string) error {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return err
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		return err
	}
	if err := errors.Join(c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer)); err != nil {
		return err
	}
	done := make(chan error)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			buf := make([]byte, 65536)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				if err != nil {
					done <- err
					return
				}
				_, _ = c.WriteToUDPAddrPort(buf[:n], from)
			}
		}()
	}
	return <-done
}

type gnetEcho struct{ gnet.BuiltinEventEngine }

func (*gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	b, err := c.Next(-1)
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		return gnet.Close
	}
	return gnet.None
}

// serveModes runs what the binary has no service for, whose echo is inline, as
// the binary would.
func serveModes(address string, s *server.Server) error {
	s.Engine = server.EventsWith(server.EventOptions{Uring: server.UringAuto})
	l, err := server.Listen(context.Background(), address, server.ListenConfig{})
	if err != nil {
		return err
	}
	return s.Serve(context.Background(), l)
}

// modal is an echo whose Turns have a mode.
type modal server.Mode

func (m modal) Mode() server.Mode { return server.Mode(m) }

func (m modal) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &modalTalk{t: t}, nil
}

type modalTalk struct {
	server.Anything
	t *server.Talk
}

func (s *modalTalk) Turn(context.Context) error {
	b, err := s.t.R.Chunk()
	if err != nil {
		return err
	}
	_, err = s.t.W.Write(b)
	return err
}

func (s *modalTalk) Close(error) error { return nil }

// copying is an echo in the style of the tutorials' handle().
func copying(c net.Conn, size int) error {
	buf := make([]byte, size)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// servePackets gives datagrams back, each in a message of its own both ways.
func servePackets(address string) error {
	pc, err := server.ListenPacket(context.Background(), address, server.ListenConfig{})
	if err != nil {
		return err
	}
	s := &server.Server{
		PacketOptions: server.PacketOptions{NoGSO: true, NoGRO: true},
		Packets:       server.InlineDatagram(func(_ context.Context, p *server.Packet) error { return p.Reply(p.Data) }),
	}
	return s.ServePacket(context.Background(), pc)
}

// serveLines answers each line, in the way of a protocol's session.
func serveLines(address string, e server.Engine, withTLS bool) error {
	l, err := server.Listen(context.Background(), address, server.ListenConfig{})
	if err != nil {
		return err
	}
	srv := &server.Server{Handler: lines{}, Engine: e}
	if withTLS {
		srv.TLS = testcert.Server(exiting{})
	}
	return srv.Serve(context.Background(), l)
}

type exiting struct{}

func (exiting) Helper() {}
func (exiting) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

type lines struct{}

func (lines) Mode() server.Mode { return server.Inline }

func (lines) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &lineTalk{t}, nil
}

type lineTalk struct{ t *server.Talk }

func (s *lineTalk) Turn(context.Context) error {
	b, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if string(b) != command {
		return s.t.W.LineString("500 what?")
	}
	return s.t.W.LineString(reply)
}

func (s *lineTalk) Close(error) error { return nil }

// The line protocol's turn, without its line ends.
const (
	command = "NOOP and some words"
	reply   = "250 2.0.0 ok"
)
