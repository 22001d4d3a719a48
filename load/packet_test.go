package load_test

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/server"
)

// servePackets answers datagrams until the test ends.
func servePackets(t *testing.T, f func(p *server.Packet) error) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.Server{Packets: server.InlineDatagram(func(_ context.Context, p *server.Packet) error { return f(p) })}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.ServePacket(ctx, pc) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return "udp:" + pc.LocalAddr().String()
}

func TestDatagrams(t *testing.T) {
	target := servePackets(t, func(p *server.Packet) error { return p.Reply(p.Data) })
	numbered := load.Message{Send: load.Pattern(64), Numbered: true}
	for name, p := range map[string]load.Plan{
		"closed":   {Connections: 2, Message: numbered},
		"window":   {Connections: 2, Depth: 8, Message: numbered},
		"open":     {Connections: 2, Depth: 2, Rate: 20000, Message: numbered},
		"text":     {Message: load.Message{Send: []byte("hello\n")}},
		"line":     {Message: load.Message{Send: []byte("hello\n"), Expect: load.Line()}},
		"bytes":    {Message: load.Message{Send: []byte("hello\n"), Expect: load.Bytes(6)}},
		"expected": {Message: load.Message{Send: []byte("a"), Expect: load.Text([]byte("a"))}},
	} {
		t.Run(name, func(t *testing.T) {
			p.Target, p.Requests, p.Timeout = target, 200, time.Minute
			check(t, run(t, p), 200)
		})
	}
}

// TestLostDatagrams: every tenth is not answered, and that is no error.
func TestLostDatagrams(t *testing.T) {
	n := 0
	target := servePackets(t, func(p *server.Packet) error {
		if n++; n%10 == 0 {
			return nil
		}
		return p.Reply(p.Data)
	})
	r := run(t, load.Plan{
		Target: target, Requests: 50, Depth: 4, Timeout: 100 * time.Millisecond,
		Message: load.Message{Send: load.Pattern(16), Numbered: true},
	})
	if r.Sent != 50 || r.Lost < 5 || r.Replies+r.Lost != 50 || r.TotalErrors() != 0 {
		t.Errorf("sent %d, replies %d, lost %d, errors %v", r.Sent, r.Replies, r.Lost, r.Errors)
	}
}

// TestStaleAnswers: an answer that comes after its time is not the next one's.
func TestStaleAnswers(t *testing.T) {
	var (
		mu   sync.Mutex
		held []byte
	)
	target := servePackets(t, func(p *server.Packet) error {
		mu.Lock()
		defer mu.Unlock()
		if held == nil { // the first: kept back
			held = append(held, p.Data...)
			return nil
		}
		if err := p.Reply(held); err != nil {
			return err
		}
		return p.Reply(p.Data)
	})
	r := run(t, load.Plan{
		Target: target, Requests: 2, Timeout: 2 * time.Second,
		Message: load.Message{Send: load.Pattern(16), Numbered: true},
	})
	if r.Lost != 1 || r.Stale != 1 || r.Replies != 1 || r.TotalErrors() != 0 {
		t.Errorf("lost %d, stale %d, replies %d, errors %v", r.Lost, r.Stale, r.Replies, r.Errors)
	}
}

func TestWrongDatagrams(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"short":         func(b []byte) []byte { return b[:3] },
		"cut":           func(b []byte) []byte { return b[:9] },
		"another one":   func(b []byte) []byte { return append(b[:15:15], b[15]+1) },
		"from tomorrow": func(b []byte) []byte { return append(binary.BigEndian.AppendUint64(nil, 1<<40), b[8:]...) },
		"no such slot":  func(b []byte) []byte { return append(binary.BigEndian.AppendUint64(nil, 9), b[8:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			target := servePackets(t, func(p *server.Packet) error { return p.Reply(damage(p.Data)) })
			r := run(t, load.Plan{Target: target, Requests: 3, Message: load.Message{Send: load.Pattern(16), Numbered: true}})
			if r.Errors[load.Wrong] != 3 || r.Replies != 0 {
				t.Errorf("replies %d, errors %v", r.Replies, r.Errors)
			}
		})
	}
}
