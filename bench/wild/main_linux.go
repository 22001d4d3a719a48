package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/farend-go/farend/bench/internal/ship"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "sink" {
		fmt.Fprintln(os.Stderr, "wild: sink:", sinkOf(os.Args[2]))
		os.Exit(1)
	}
	var l lab
	var only, temp string
	flag.BoolVar(&l.quick, "quick", false, "small work: it shows that everything runs, not how fast")
	flag.IntVar(&l.reps, "reps", 3, "runs of each figure")
	flag.StringVar(&only, "only", "", "rows whose name contains this")
	flag.StringVar(&l.farend, "farend", "", "a farend `binary` (default: built from this tree)")
	flag.StringVar(&temp, "dir", "", "where the servers' files lie (default: a temporary folder)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := l.main(ctx, only, temp); err != nil {
		fmt.Fprintln(os.Stderr, "wild:", err)
		stop()
		os.Exit(1)
	}
}

func (l *lab) main(ctx context.Context, only, temp string) (err error) {
	l.out = os.Stdout
	if l.dir, err = os.MkdirTemp(temp, "wild"); err != nil {
		return err
	}
	defer os.RemoveAll(l.dir)
	if err := os.Chmod(l.dir, 0o755); err != nil { // servers that drop their rights read here
		return err
	}
	if l.farend == "" {
		if l.farend, err = ship.Build(ctx, l.dir); err != nil {
			return err
		}
	}
	if l.reps < 1 || l.quick {
		l.reps = 1
	}
	began := time.Now()
	fmt.Fprintf(l.out, "%s, %d cores. Medians of %d runs, servers taking turns. The ratio is of processor time to ours.\n\n", runtime.Version(), runtime.NumCPU(), l.reps)
	fmt.Fprint(l.out, "| | server | rate | server CPU per unit | ratio |\n|---|---|--:|--:|--:|\n")
	for _, r := range slices.Concat(l.ftpRows(), l.mailRows(), l.newsRows(), l.rpcRows(), l.telnetRows(), l.getRows()) {
		if !strings.Contains(r.name, only) {
			continue
		}
		if err := l.run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	fmt.Fprintf(l.out, "\nTook %v.\n", time.Since(began).Round(time.Second))
	return nil
}
