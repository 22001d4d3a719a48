package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/farend-go/farend/load"
)

// plot measures the cost of an echo over the number of connections.
func (l *lab) plot(ctx context.Context) error {
	who := streams()
	c := chart{title: "Server CPU per request: TCP echo of 64 B, one in flight on each connection", unit: "µs"}
	for _, w := range who {
		c.lines = append(c.lines, series{name: w.name})
	}
	fmt.Fprintf(l.out, "%s, %s: server CPU µs per request, TCP echo of 64 B, one in flight on each connection. Medians of %d runs of %v.\n\n| connections |",
		machine(), runtime.Version(), l.reps, l.run)
	for _, w := range who {
		fmt.Fprintf(l.out, " %s |", w.name)
	}
	fmt.Fprint(l.out, "\n|--:|")
	for range who {
		fmt.Fprint(l.out, "--:|")
	}
	fmt.Fprintln(l.out)
	for _, n := range steps(l.from, l.to) {
		all, err := l.compare(ctx, who, load.Plan{Connections: n, Message: load.Message{Send: load.Pattern(64)}})
		if err != nil {
			return fmt.Errorf("%d connections: %w", n, err)
		}
		fmt.Fprintf(l.out, "| %d |", n)
		for i, f := range all {
			fmt.Fprintf(l.out, " %.2f |", f.cpu)
			c.lines[i].points = append(c.lines[i].points, point{float64(n), f.cpu})
		}
		fmt.Fprintln(l.out)
	}
	for _, s := range c.lines {
		fmt.Fprintf(l.out, "\n%s: from %.2f to %.2f µs, %.0f %% between the least and the most.", s.name, s.least(), s.most(), 100*(s.most()/s.least()-1))
	}
	fmt.Fprintln(l.out)
	return os.WriteFile(l.settings.plot, []byte(c.svg()), 0o644)
}

// steps goes from one number to another in half powers of ten.
func steps(from, to int) []int {
	var all []int
	for k := 0; ; k++ {
		n := int(math.Round(float64(from) * math.Pow(10, float64(k)/2)))
		if n >= to {
			return append(all, to)
		}
		all = append(all, n)
	}
}
