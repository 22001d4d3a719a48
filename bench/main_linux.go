package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/farend-go/farend/bench/internal/ship"
)

// settings are the flags.
type settings struct {
	quick    bool
	plot     string
	from, to int
	reps     int
	run      time.Duration
	farend   string
	only     string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "peer" {
		fatal(peer(os.Args[2:]))
		return
	}
	var s settings
	flag.BoolVar(&s.quick, "quick", false, "a few rows, short runs: under a minute")
	flag.StringVar(&s.plot, "plot", "", "draw how cost grows with connections, into this SVG `file`")
	flag.IntVar(&s.from, "from", 10, "the plot's fewest connections")
	flag.IntVar(&s.to, "to", 10000, "the plot's most")
	flag.IntVar(&s.reps, "reps", 0, "runs of each figure (default 5, quick 3)")
	flag.DurationVar(&s.run, "run", 0, "length of a run (default 1s, quick 300ms)")
	flag.StringVar(&s.farend, "farend", "", "a farend `binary` (default: built from this tree)")
	flag.StringVar(&s.only, "only", "", "rows whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fatal(s.main(ctx, os.Stdout))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (s settings) main(ctx context.Context, out io.Writer) error {
	if s.from < 1 || s.to < s.from {
		return errors.New("-from and -to: at least one connection, and no fewer at the end")
	}
	if s.reps == 0 {
		s.reps = 5
		if s.quick {
			s.reps = 3
		}
	}
	if s.run == 0 {
		s.run = time.Second
		if s.quick {
			s.run = 300 * time.Millisecond
		}
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.farend == "" {
		if s.farend, err = ship.Build(ctx, dir); err != nil {
			return err
		}
	}
	l, err := newLab(s, out)
	if err != nil {
		return err
	}
	if s.plot != "" {
		return l.plot(ctx)
	}
	return l.table(ctx)
}
