package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/farend-go/farend/load"
)

// mostIdle is how many connections a server is to hold.
const mostIdle = 10000

// idle opens n connections that echo once and then wait.
func idle(address string, n int) (closeAll func(), err error) {
	var all []net.Conn
	closeAll = func() {
		for _, c := range all {
			c.Close()
		}
	}
	message := load.Pattern(64)
	buf := make([]byte, len(message))
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return closeAll, err
		}
		all = append(all, c)
		if _, err := c.Write(message); err != nil {
			return closeAll, err
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			return closeAll, err
		}
	}
	return closeAll, nil
}

// memory prints what an idle connection costs.
func (l *lab) memory() error {
	n := mostIdle
	if l.quick {
		n = 2000
	}
	fmt.Fprintf(l.out, "\n| memory of the server | RSS before, KiB | bytes per connection, %d of them, after one echo of 64 B |\n|---|--:|--:|\n", n)
	for _, c := range streams() {
		before, each, err := l.memoryOf(c, n)
		if err != nil {
			return fmt.Errorf("memory, %s: %w", c.name, err)
		}
		fmt.Fprintf(l.out, "| %s | %d | %.0f |\n", c.name, before>>10, each)
	}
	return nil
}

// settle is the time in which a server may tidy up.
const settle = 500 * time.Millisecond

func (l *lab) memoryOf(c contender, n int) (before int, each float64, err error) {
	p, err := c.start(l)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	time.Sleep(settle)
	if before, err = p.rss(); err != nil {
		return 0, 0, err
	}
	closeAll, err := idle(p.addr["tcp"], n)
	defer closeAll()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(2 * settle)
	after, err := p.rss()
	return before, float64(after-before) / float64(n), err
}

// mostlyIdle prints latencies where one connection in a hundred is active, at
// a fixed rate that every server can keep.
func (l *lab) mostlyIdle(ctx context.Context) error {
	const active, rate = mostIdle / 100, 10000
	fmt.Fprintf(l.out, "\n| %d connections, %d active, %d requests/s | p50 µs | p99 µs | server CPU µs/request | p99 to net's |\n|---|--:|--:|--:|--:|\n",
		mostIdle, active, rate)
	who := streams()
	running, stop, err := l.startAll(who)
	defer stop()
	if err != nil {
		return err
	}
	runs := make([][]figures, len(who))
	for range l.reps {
		for i, p := range running {
			all, err := l.amongIdle(ctx, p, active, rate)
			if err != nil {
				return fmt.Errorf("mostly idle, %s: %w", who[i].name, err)
			}
			runs[i] = append(runs[i], all...)
		}
	}
	base := middle(runs[2])
	for i, c := range who {
		f := middle(runs[i])
		fmt.Fprintf(l.out, "| %s | %.0f | %.0f | %.2f | %.2f |\n", c.name, micros(f.p50), micros(f.p99), f.cpu, float64(f.p99)/float64(base.p99))
	}
	return nil
}

// amongIdle measures while all other connections are open. They are opened for
// each server's turn: those of all servers at once would be too many for one
// process. It is many short runs: whatever else the machine does for ten
// milliseconds is the slowest hundredth of a second, and in one long run hides
// the server's own.
func (l *lab) amongIdle(ctx context.Context, p *process, active int, rate float64) ([]figures, error) {
	closeAll, err := idle(p.addr["tcp"], mostIdle-active)
	defer closeAll()
	if err != nil {
		return nil, err
	}
	time.Sleep(settle)
	short := *l
	short.run = l.run / 4
	var all []figures
	for range 10 {
		f, err := short.measure(ctx, p, "tcp", load.Plan{Connections: active, Rate: rate, Message: load.Message{Send: load.Pattern(64)}})
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}
