package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// dovecotCrowd lifts dovecot's limits of how many clients it serves.
const dovecotCrowd = `default_client_limit = 20000
default_process_limit = 20000
service imap-login {
  service_count = 0
  process_min_avail = 2
}
service imap {
  process_limit = 20000
}
`

// dovecotHibernates has it put those who wait into one process.
const dovecotHibernates = dovecotCrowd + `imap_hibernate_timeout = 1s
service imap {
  unix_listener imap-master {
    user = $default_internal_user
  }
}
service imap {
  extra_groups = $default_internal_group
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0660
    group = $default_internal_group
  }
}
`

// idleRow is the memory of clients who have a mailbox open and wait.
func (l *lab) idleRow() row {
	count := 5000
	if l.quick {
		count = 20
	}
	return row{name: "imap, memory of a client who waits (IDLE)", alone: func(ctx context.Context, r row) error {
		var ours float64
		for i, one := range []struct {
			server
			count int
		}{
			{farendMail("imap", 10), count},
			{server{"dovecot", "dovecot", startDovecot("imap", 10, dovecotCrowd)}, count},
			// Who hibernates has an inotify instance, of which a user has 128.
			{server{"dovecot, hibernating", "dovecot", startDovecot("imap", 10, dovecotHibernates)}, min(count, 100)},
		} {
			sv := one.server
			dir, err := os.MkdirTemp(l.dir, "idle")
			if err != nil {
				return err
			}
			each, n, why, err := l.idle(ctx, sv, dir, one.count)
			if _, ok := errors.AsType[missing](err); ok {
				fmt.Fprintf(l.out, "| %s | %s skipped: %v | | | |\n", r.name, sv.name, err)
				continue
			}
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %w", sv.name, err), os.RemoveAll(dir))
			}
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			if i == 0 {
				ours = each
			}
			fmt.Fprintf(l.out, "| %s | %s | %d clients%s | %.1f KiB each | %.1f |\n", r.name, sv.name, n, why, each/1024, each/ours)
		}
		return nil
	}}
}

// idle gives what each of count clients adds to the server's memory, and how
// many it took, and why not more.
func (l *lab) idle(ctx context.Context, sv server, dir string, count int) (each float64, n int, why string, err error) {
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, 0, "", err
	}
	s, err := sv.begin(ctx, l, dir)
	if err != nil {
		return 0, 0, "", err
	}
	defer s.stop()
	var all []net.Conn
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	const first = 10 // they make what all have in common
	before := int64(0)
	for len(all) < first+count {
		c, err := waiter(s)
		if err != nil {
			why = fmt.Sprintf(", then: %v", err)
			break
		}
		all = append(all, c)
		if len(all) == first {
			if before, err = s.settled(ctx); err != nil {
				return 0, 0, "", err
			}
		}
	}
	if n = len(all) - first; n < 1 {
		return 0, 0, "", errors.New("it serves nobody" + why)
	}
	after, err := s.settled(ctx)
	return float64(after-before) / float64(n), n, why, err
}

// waiter is a client who has bob's mailbox open and waits.
func waiter(s *site) (net.Conn, error) {
	c, err := net.Dial("tcp", s.at["address"])
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // what waits longer has failed
	r := bufio.NewReaderSize(c, 4096)
	_, err = r.ReadSlice('\n')
	for _, line := range []string{"LOGIN bob secret", "SELECT INBOX"} {
		if err == nil {
			err = imapSay(c, r, line)
		}
	}
	if err == nil {
		_, err = c.Write([]byte("t IDLE\r\n"))
	}
	if err == nil {
		var line []byte
		if line, err = r.ReadSlice('\n'); err == nil && line[0] != '+' {
			err = fmt.Errorf("IDLE: %s", bytes.TrimSpace(line))
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// settled is the memory of the server when it gets no less any more.
func (p *process) settled(ctx context.Context) (int64, error) {
	last := int64(1) << 62
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Second):
		}
		now, err := p.memory()
		if err != nil || now > last-last/50 {
			return min(now, last), err
		}
		last = now
	}
}

// memory is that of the server's processes: the proportional set sizes
// (proc_pid_smaps_rollup(5)), in bytes.
func (p *process) memory() (int64, error) {
	if p.group == "" {
		return 0, errors.New("memory is summed up over a control group, and there is none")
	}
	text, err := os.ReadFile(p.group + "/cgroup.procs")
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for pid := range strings.FieldsSeq(string(text)) {
		rollup, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(rollup)) {
			if value, ok := strings.CutPrefix(line, "Pss:"); ok {
				kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
				if err != nil {
					return 0, err
				}
				sum += kib << 10
			}
		}
	}
	return sum, nil
}
