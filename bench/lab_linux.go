package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/load"
)

// lab runs servers and puts load on them.
type lab struct {
	settings
	out     io.Writer
	servers *unix.CPUSet
}

func newLab(s settings, out io.Writer) (*lab, error) {
	generator, servers, err := split()
	if err != nil {
		return nil, err
	}
	if err := confine(generator); err != nil {
		return nil, fmt.Errorf("pinning: %w", err)
	}
	if _, err := load.RaiseFiles(max(s.to, mostIdle)); err != nil {
		return nil, err
	}
	return &lab{s, out, servers}, nil
}

// contender is a server that takes part in a row.
type contender struct {
	name    string
	network string
	start   func(l *lab) (*process, error)
}

func farend(engine string) contender { return farendOn(engine, "tcp") }

// farendOn is our own binary; without an engine it chooses, which is rings
// where there are some.
func farendOn(engine, network string) contender {
	name, flags := "farend", []string(nil)
	if engine != "" {
		name, flags = "farend "+engine, []string{"--engine", engine}
	}
	return contender{name, network, func(l *lab) (*process, error) {
		return startFarend(name, l.farend, "echo", l.servers, flags...)
	}}
}

func other(name, kind, network string) contender {
	return contender{name, network, func(l *lab) (*process, error) { return startPeer(name, kind, network, l.servers) }}
}

// streams are those that echo a stream: ours, two peers, and ours as it is
// without --engine.
func streams() []contender {
	return []contender{farend("events"), farend("goroutines"), other("net", "net", "tcp"), other("gnet", "gnet", "tcp"), farend("")}
}

// modes are they, and what handlers get whose Turns are not inline.
func modes() []contender {
	return append(streams(), other("Turns that wait", "waits", "tcp"),
		other("handle() as a coroutine", "coroutine", "tcp"), other("Turns that block", "blocks", "tcp"))
}

func datagrams() []contender {
	return []contender{
		farendOn("events", "udp"), farendOn("goroutines", "udp"),
		other("net", "net-udp", "udp"), other("gnet", "gnet-udp", "udp"),
		other("without GRO and GSO", "apart-udp", "udp"),
	}
}

// figures is what was measured of one server in one row: the medians.
type figures struct {
	rate float64       // requests per second
	cpu  float64       // microseconds of the server per request
	p50  time.Duration // latencies
	p99  time.Duration
	lost float64 // share of datagrams
	busy float64 // share of its core that the generator used
}

// compare measures all contenders, taking turns, and gives each one's medians.
func (l *lab) compare(ctx context.Context, who []contender, plan load.Plan) ([]figures, error) {
	running, stop, err := l.startAll(who)
	defer stop()
	if err != nil {
		return nil, err
	}
	runs := make([][]figures, len(who))
	for range l.reps {
		for i, p := range running {
			f, err := l.measure(ctx, p, who[i].network, plan)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", who[i].name, err)
			}
			runs[i] = append(runs[i], f)
		}
	}
	medians := make([]figures, len(who))
	for i := range who {
		medians[i] = middle(runs[i])
	}
	return medians, nil
}

func (l *lab) startAll(who []contender) (all []*process, stop func(), err error) {
	stop = func() {
		for _, p := range all {
			p.stop()
		}
	}
	for _, c := range who {
		p, err := c.start(l)
		if err != nil {
			return all, stop, err
		}
		all = append(all, p)
	}
	return all, stop, nil
}

// measure puts the plan's load on one server.
func (l *lab) measure(ctx context.Context, p *process, network string, plan load.Plan) (figures, error) {
	var before, after time.Duration
	var clock error
	scheme := plan.Target
	if scheme == "" {
		scheme = network
	}
	plan.Target = scheme + ":" + p.addr[network]
	plan.Duration, plan.Warmup = l.run, l.run/3
	plan.Dialer = &dial.Dialer{TLS: anyCertificate()}
	plan.Window = func(open bool) {
		at := &after
		if open {
			at = &before
		}
		if t, err := p.cpu(); err != nil {
			clock = err
		} else {
			*at = t
		}
	}
	r, err := load.Run(ctx, plan)
	switch {
	case err != nil:
		return figures{}, err
	case clock != nil:
		return figures{}, clock
	case r.TotalErrors() > 0:
		return figures{}, fmt.Errorf("%d errors: %v", r.TotalErrors(), r.Examples)
	case r.InTime == 0:
		return figures{}, fmt.Errorf("not one answer in %v", l.run)
	}
	return figures{
		rate: r.Rate, cpu: float64(after-before) / 1e3 / float64(r.InTime),
		p50: r.Latency.P50, p99: r.Latency.P99,
		lost: float64(r.Lost) / float64(max(r.Sent, 1)), busy: r.Own.Busy,
	}, nil
}

// middle takes each figure's median.
func middle(runs []figures) figures {
	number := func(f func(figures) float64) float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, f(r))
		}
		return median(all)
	}
	return figures{
		rate: number(func(f figures) float64 { return f.rate }),
		cpu:  number(func(f figures) float64 { return f.cpu }),
		p50:  time.Duration(number(func(f figures) float64 { return float64(f.p50) })),
		p99:  time.Duration(number(func(f figures) float64 { return float64(f.p99) })),
		lost: number(func(f figures) float64 { return f.lost }),
		busy: number(func(f figures) float64 { return f.busy }),
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return 0
	}
	return (all[(n-1)/2] + all[n/2]) / 2
}

// machine says on what it was measured.
func machine() string {
	kernel := "Linux"
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + string(slices.DeleteFunc(b, func(c byte) bool { return c == '\n' }))
	}
	return kernel
}
