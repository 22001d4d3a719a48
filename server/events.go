package server

import "time"

// EventOptions of EventsWith. The zero value is good.
type EventOptions struct {
	// Loops is how many event loops there are; 0: one for each core.
	Loops int
	// Spin is how long a loop looks for events before it sleeps: with one or
	// few connections this trades a busy core for a several times higher rate.
	// 0: not at all.
	Spin time.Duration
	// Uring is what stands on io_uring(7) in place of epoll(7); 0: nothing.
	Uring UringUse
}

// UringUse is what an engine uses io_uring(7) for. Short requests to Turns on a
// loop cost less there, long ones may cost more, and Turns on goroutines gain
// nothing, nor do Unix sockets (docs/performance.md). It needs Linux 6.1, and
// that the system allows it. Each loop keeps a thread of its own. A limit of
// descriptors (RLIMIT_NOFILE) that is changed later is not seen.
type UringUse uint8

const (
	// UringNever is epoll for all.
	UringNever UringUse = iota
	// UringAuto is io_uring for servers over TCP without TLS whose handlers are
	// Inline or Waits, if it can be had as of Linux 6.12 when Serve begins, and
	// epoll for all others: each has its own loops, of which there are
	// EventOptions.Loops as soon as a server has use for them.
	UringAuto
	// UringAlways is io_uring for all. Where it cannot be had, Serve returns an
	// error.
	UringAlways
)
