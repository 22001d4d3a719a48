package socket

import (
	"context"
	"errors"
	"strings"
	"time"
)

// ConnConfig says how CreateConnection connects. Its zero value races the
// addresses as RFC 8305 advises, from any local address, with no limit but the
// context's and the system's own.
type ConnConfig struct {
	Family  Family        // AF_INET or AF_INET6 only; AF_UNSPEC takes both
	Source  Address       // where to connect from: its host, its port, or both
	Timeout time.Duration // for each address; 0 is no limit
	Delay   time.Duration // between the starts of two attempts; 0 is 250 ms, negative waits for each to fail
	Options []Setting     // set before connecting
}

// attemptDelay is the Connection Attempt Delay of RFC 8305 section 5.
const attemptDelay = 250 * time.Millisecond

// CreateConnection makes a stream connected to host and port, each in any form
// that Pair takes, Python's create_connection. The caller closes it.
//
// All addresses of the name are tried, in the order of RFC 6724 with the families
// taking turns (RFC 8305 section 4): the next one starts when one has failed or
// after Delay, and the first that connects wins. If none does, the error joins
// those of all attempts (errors.Is finds each). All sockets but the winner are closed on return.
func CreateConnection[H HostForm, P PortForm](ctx context.Context, host H, port P, cfg ConnConfig) (*Sock, error) {
	return ConnectAny(ctx, Pair(host, port), cfg)
}

// ConnectAny is CreateConnection to any Address, so also to a Unix path or by a
// resolver of the caller's.
func ConnectAny(ctx context.Context, to Address, cfg ConnConfig) (*Sock, error) {
	all, err := to.Resolve(ctx, cfg.Family, SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNoAddress
	}
	delay := cfg.Delay
	if delay == 0 {
		delay = attemptDelay
	}
	return race(ctx, interleave(all), delay, cfg.attempt)
}

// attempt connects to one address.
func (cfg ConnConfig) attempt(ctx context.Context, to Addr) (*Sock, error) {
	if cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
	}
	s, err := Socket(to.Family(), SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if err := s.reach(ctx, to, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// reach sets the options, binds to the source, and connects.
func (s *Sock) reach(ctx context.Context, to Addr, cfg ConnConfig) error {
	for _, set := range cfg.Options {
		if err := set.Apply(s); err != nil {
			return err
		}
	}
	if cfg.Source != nil {
		if err := s.Bind(ctx, cfg.Source); err != nil {
			return err
		}
	}
	return s.Connect(ctx, to)
}

// interleave has the families take turns, the first address's family first, and
// keeps the order within each: RFC 8305 section 4 with a First Address Family
// Count of 1.
func interleave(all []Addr) []Addr {
	var first, rest []Addr
	for _, a := range all {
		if a.Family() == all[0].Family() {
			first = append(first, a)
		} else {
			rest = append(rest, a)
		}
	}
	mixed := make([]Addr, 0, len(all))
	for len(first) > 0 || len(rest) > 0 {
		if len(first) > 0 {
			mixed, first = append(mixed, first[0]), first[1:]
		}
		if len(rest) > 0 {
			mixed, rest = append(mixed, rest[0]), rest[1:]
		}
	}
	return mixed
}

// outcome is how one attempt ended.
type outcome[C any] struct {
	index int
	conn  C
	err   error
}

// race starts an attempt for each address, the next one when one failed or after
// delay (negative: only after failure), and returns the first that succeeds. It
// ends the others and waits for them; one that succeeded too late is closed.
func race[C interface{ Close() error }](
	ctx context.Context, all []Addr, delay time.Duration, attempt func(context.Context, Addr) (C, error),
) (C, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan outcome[C])
	running, next := 0, 0
	start := func() {
		index := next
		next, running = next+1, running+1
		go func() {
			conn, err := attempt(ctx, all[index])
			done <- outcome[C]{index, conn, err}
		}()
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	if delay < 0 {
		timer.Stop()
	}
	start()
	errs := make([]error, len(all))
	for running > 0 {
		select {
		case o := <-done:
			running--
			if o.err == nil {
				cancel()
				closeLosers(done, running)
				return o.conn, nil
			}
			errs[o.index] = o.err
		case <-timer.C:
		}
		if next == len(all) || ctx.Err() != nil {
			continue
		}
		start()
		if delay >= 0 {
			timer.Reset(delay)
		}
	}
	var none C
	return none, attemptsError(errs[:next])
}

// attemptsError is what became of every attempt, in one line.
type attemptsError []error

func (e attemptsError) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "; ")
}

func (e attemptsError) Unwrap() []error { return e }

// closeLosers waits for the attempts that still run. A socket that never carried
// anything has nothing to lose in closing.
func closeLosers[C interface{ Close() error }](done chan outcome[C], running int) {
	for ; running > 0; running-- {
		if o := <-done; o.err == nil {
			_ = o.conn.Close()
		}
	}
}
