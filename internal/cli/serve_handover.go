package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/server"
)

// change is a hand-over to come, when SIGHUP asks for it.
type change struct {
	server.Handover
	timeout time.Duration // for the successor to become ready
	grace   time.Duration // for the conversations that it does not get
	asked   <-chan os.Signal
}

// newChange prepares for SIGHUP; nil: nobody wants a hand-over.
func (e *env) newChange(settings app.Settings, in *server.Inherited) (*change, error) {
	wanted, err := settings.Bool("handover")
	if err != nil || !wanted {
		return nil, err
	}
	c := &change{}
	if c.timeout, err = settings.Duration("handover-timeout", handoverTimeout); err != nil {
		return nil, err
	}
	if c.grace, err = settings.Duration("handover-grace", handoverGrace); err != nil {
		return nil, err
	}
	c.Notify = in.Notify
	c.Command = successor(os.Args)
	c.asked = e.signals.takeOnly(syscall.SIGHUP)
	return c, nil
}

const (
	handoverTimeout = 30 * time.Second
	handoverGrace   = time.Minute
)

// successor is the command line that started us. Its program is the path by
// which we were called: when that is a link, an upgrade may lead it elsewhere,
// and os.Executable would know only where it led before. nil: that path cannot
// be told, or is another program's.
func successor(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	path, err := exec.LookPath(args[0])
	if err == nil {
		path, err = filepath.Abs(path) // the directory may change
	}
	self, serr := os.Executable()
	if err != nil || serr != nil {
		return nil
	}
	called, err := os.Stat(path)
	us, uerr := os.Stat(self)
	if err != nil || uerr != nil || !os.SameFile(called, us) {
		return nil
	}
	return append([]string{path}, args[1:]...)
}

// serveOn serves until ctx ends or, after a hand-over, until the conversations
// that are left have ended.
func (s *serveRun) serveOn(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	told, handed := make(chan struct{}), false
	stopping := context.AfterFunc(ctx, func() {
		defer close(told)
		_ = s.in.Notify("STOPPING=1") // whoever does not hear it sees the end
	})
	defer func() {
		if !stopping() && !handed {
			<-told // or the process could end before
		}
	}()
	if s.change == nil {
		return s.Serve(ctx)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	for {
		select {
		case err := <-served:
			return err
		case <-s.change.asked:
		}
		if !s.handOver(ctx) {
			continue
		}
		handed = stopping() // the successor does not stop
		grace := time.AfterFunc(s.change.grace, stop)
		defer grace.Stop()
		return <-served
	}
}

// handOver hands over, or says why that could not be done.
func (s *serveRun) handOver(ctx context.Context) bool {
	limited, cancel := context.WithTimeoutCause(ctx, s.change.timeout, fmt.Errorf("nothing was heard of it within %v", s.change.timeout))
	defer cancel()
	pid, err := s.HandOver(limited)
	if pid > 0 {
		if !s.quiet {
			s.talk.print(fmt.Appendf(nil, "farend: process %d serves from here on; this one, %d, ends with its conversations, after %v at most\n", pid, os.Getpid(), s.change.grace))
		}
		return true
	}
	if ctx.Err() != nil { // it is being stopped
		return false
	}
	s.complain(fmt.Errorf("hand over: %s; process %d serves on", strings.TrimPrefix(err.Error(), "hand over: "), os.Getpid()))
	if s.file != "" { // the successor may have come as far as that
		if err := s.Ready().WriteFile(s.file); err != nil {
			s.complain(fmt.Errorf("writing the ready file: %w", err))
		}
	}
	return false
}
