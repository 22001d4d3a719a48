package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A server takes part in rows. Its start makes its files in dir.
type server struct {
	name  string
	needs string // the program, where it is not ours
	start func(ctx context.Context, l *lab, dir string) (*site, error)
}

// A site is a server that runs.
type site struct {
	*process
	at   map[string]string // what the rows need: addresses, URLs, folders
	undo func()
	does func(where *strings.Replacer) error // runs a client, where that is what is measured
}

// A row is one kind of work, done by every server in turn.
type row struct {
	name    string
	unit    string  // what the work is counted in
	units   float64 // how many of them it is
	scale   float64 // of the printed processor time: 1 for seconds, 1e6 for microseconds
	needs   string  // the client
	servers []server
	work    func(ctx context.Context, l *lab, s *site) error
	before  func(ctx context.Context, l *lab, s *site) error // makes ready for each run; not measured
	alone   func(ctx context.Context, r row) error           // does and prints all by itself
}

// lab is one run of the program.
type lab struct {
	out    io.Writer
	dir    string
	farend string
	reps   int
	quick  bool
}

type figure struct{ took, cpu time.Duration }

// missing is a program that is not installed.
type missing string

func (m missing) Error() string { return string(m) + " is not installed" }

func has(program string) error {
	if program != "" && find(program) == "" {
		return missing(program)
	}
	return nil
}

// find looks where daemons are too, and where packages that exclude others are
// unpacked.
func find(program string) string {
	unpacked, _ := filepath.Glob("/opt/*/*/usr/*bin/" + program)
	for _, name := range append([]string{program, "/usr/sbin/" + program, "/usr/lib/news/bin/" + program}, unpacked...) {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// run does the row's work with all of its servers, which take turns, and
// prints the lines.
func (l *lab) run(ctx context.Context, r row) error {
	if r.alone != nil {
		return r.alone(ctx, r)
	}
	if err := has(r.needs); err != nil {
		fmt.Fprintf(l.out, "| %s | skipped: %v | | | |\n", r.name, err)
		return nil
	}
	var names []string
	var sites []*site
	defer func() {
		for _, s := range sites {
			s.stop()
			if s.undo != nil {
				s.undo()
			}
		}
	}()
	for i, sv := range r.servers {
		dir := filepath.Join(l.dir, fmt.Sprintf("%.12s-%d", strings.Map(letters, r.name), i)) // short: sockets lie there
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, err := sv.begin(ctx, l, dir)
		if _, ok := errors.AsType[missing](err); ok {
			fmt.Fprintf(l.out, "| %s | %s skipped: %v | | | |\n", r.name, sv.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sv.name, err)
		}
		sites, names = append(sites, s), append(names, sv.name)
	}
	figures := make([][]figure, len(sites))
	for n := range l.reps + 1 { // the first warms up
		for i, s := range sites {
			f, err := l.once(ctx, r, s)
			if err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
			if n > 0 {
				figures[i] = append(figures[i], f)
			}
		}
	}
	ours := median(figures[0], func(f figure) time.Duration { return f.cpu })
	if ours == 0 { // less than the clock's unit
		ours = time.Second / hertz
	}
	for i := range sites {
		cpu, took := median(figures[i], func(f figure) time.Duration { return f.cpu }), median(figures[i], func(f figure) time.Duration { return f.took })
		each := "s"
		if r.scale != 1 {
			each = "µs"
		}
		fmt.Fprintf(l.out, "| %s | %s | %s %s/s | %.2f %s | %.2f |\n", r.name, names[i],
			short(r.units/took.Seconds()), r.unit, cpu.Seconds()*r.scale/r.units, each, cpu.Seconds()/ours.Seconds())
	}
	return nil
}

// begin starts the server; missing: a program that it needs is not installed.
func (sv server) begin(ctx context.Context, l *lab, dir string) (*site, error) {
	if err := has(sv.needs); err != nil {
		return nil, err
	}
	return sv.start(ctx, l, dir)
}

func (l *lab) once(ctx context.Context, r row, s *site) (figure, error) {
	if r.before != nil {
		if err := r.before(ctx, l, s); err != nil {
			return figure{}, err
		}
	}
	before, err := s.usage()
	if err != nil {
		return figure{}, err
	}
	began := time.Now()
	if err := r.work(ctx, l, s); err != nil {
		return figure{}, err
	}
	took := time.Since(began)
	after, err := s.usage()
	return figure{took, after - before}, err
}

func median(of []figure, what func(figure) time.Duration) time.Duration {
	var all []time.Duration
	for _, f := range of {
		all = append(all, what(f))
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

func short(n float64) string {
	if n >= 100 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// client runs a program to its end; what it said is part of the error.
func client(ctx context.Context, name string, args ...string) error {
	text, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, text[max(0, len(text)-500):])
	}
	return nil
}

// freePort is one that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// listens waits until somebody takes connections.
func listens(ctx context.Context, p *process, address string) error {
	for range 1000 {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		if _, err := p.usage(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.New("nobody listens at " + address)
}
