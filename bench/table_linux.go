package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/farend-go/farend/load"
)

// row is one line of load, put on several servers.
type row struct {
	name  string
	quick bool
	who   []contender
	plan  load.Plan
	base  int // whom the others are compared with
}

// rows are all of them.
func rows() []row {
	small := load.Message{Send: load.Pattern(64)}
	numbered := load.Message{Send: load.Pattern(64), Numbered: true}
	turn := load.Message{Send: []byte(command + "\r\n"), Expect: load.Text([]byte(reply + "\r\n"))}
	const net = 2 // among streams and datagrams
	return []row{
		{"TCP 64 B, 64 connections", true, modes(), load.Plan{Connections: 64, Message: small}, net},
		{"TCP 64 B, 1000 connections", true, modes(), load.Plan{Connections: 1000, Message: small}, net},
		{"TCP 64 B, 64 connections, 16 in flight on each", false, modes(), load.Plan{Connections: 64, Depth: 16, Message: small}, net},
		{"TCP 16 KiB, 64 connections", false, append(streams(), other("net, 64 KiB buffer", "net-large", "tcp")), load.Plan{Connections: 64, Message: load.Message{Send: load.Pattern(16 << 10)}}, net},
		{"TCP 64 B, one connection", false, streams(), load.Plan{Connections: 1, Message: small}, net},
		{"TCP connect, 64 B, close", false, streams(), load.Plan{Connections: 32, Reconnect: true, Message: small}, net},
		{"UDP 64 B, 64 sockets", true, datagrams(), load.Plan{Connections: 64, Message: numbered}, net},
		{"UDP 64 B, 64 sockets, 16 in flight on each", false, datagrams(), load.Plan{Connections: 64, Depth: 16, Message: numbered}, net},
		{"UDP 1200 B, 64 sockets, 16 in flight on each", false, datagrams(), load.Plan{Connections: 64, Depth: 16, Message: load.Message{Send: load.Pattern(1200), Numbered: true}}, net},
		{"a line and its reply, 64 connections", true, []contender{
			other("lines, events", "lines-events", "tcp"), other("lines, goroutines", "lines-goroutines", "tcp"),
		}, load.Plan{Connections: 64, Message: turn}, 1},
		{"a line and its reply, 64 connections, TLS", true, []contender{
			other("lines, events", "lines-events-tls", "tcp"), other("lines, goroutines", "lines-goroutines-tls", "tcp"),
		}, load.Plan{Target: "tls", Connections: 64, Message: turn}, 1},
	}
}

// table measures and prints everything.
func (l *lab) table(ctx context.Context) error {
	began := time.Now()
	fmt.Fprintf(l.out, "%s, %s, %d cores; one for the server, one for the generator. Medians of %d runs of %v, servers taking turns. "+
		"The ratio is of CPU to net's, for lines to that of goroutines, for files to FileServer's.\n\n",
		machine(), runtime.Version(), runtime.NumCPU(), l.reps, l.run)
	fmt.Fprint(l.out, "| | server | requests/s | server CPU µs/request | ratio | p50 µs | p99 µs | generator busy |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	medians := map[string]figures{}
	for _, r := range rows() {
		if l.quick && !r.quick || !strings.Contains(r.name, l.only) {
			continue
		}
		all, err := l.compare(ctx, r.who, r.plan)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		l.print(r, all)
		medians[r.name] = all[0]
	}
	l.tcpAndUDP(medians)
	if err := l.web(ctx); err != nil {
		return err
	}
	if strings.Contains("memory", l.only) {
		if err := l.memory(); err != nil {
			return err
		}
	}
	if !l.quick && strings.Contains("mostly idle", l.only) {
		if err := l.mostlyIdle(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(l.out, "\nTook %v.\n", time.Since(began).Round(time.Second))
	return nil
}

func (l *lab) print(r row, all []figures) {
	name := r.name
	for i, f := range all {
		ratio := f.cpu / all[r.base].cpu
		mark := ""
		if f.lost > 0 {
			mark = fmt.Sprintf(" (%.2f %% lost)", 100*f.lost)
		}
		fmt.Fprintf(l.out, "| %s | %s%s | %.0f | %.2f | %.2f | %.0f | %.0f | %.0f %% |\n",
			name, r.who[i].name, mark, f.rate, f.cpu, ratio, micros(f.p50), micros(f.p99), 100*f.busy)
		name = ""
	}
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

// tcpAndUDP says what a datagram saves.
func (l *lab) tcpAndUDP(medians map[string]figures) {
	tcp, udp := medians["TCP 64 B, 64 connections"], medians["UDP 64 B, 64 sockets"]
	if tcp.cpu == 0 || udp.cpu == 0 {
		return
	}
	fmt.Fprintf(l.out, "\nUDP against TCP, farend events, echo of 64 B on loopback, one in flight on each of 64 sockets: "+
		"%.2f against %.2f µs of the server per request (%.2f), p50 %.0f against %.0f µs. Nothing is sent again: lost were %.3f %%.\n",
		udp.cpu, tcp.cpu, udp.cpu/tcp.cpu, micros(udp.p50), micros(tcp.p50), 100*udp.lost)
}

// anyCertificate is for the peers, who make their own.
func anyCertificate() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
}
