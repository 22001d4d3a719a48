package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mailRows are messages in, durable and not, and out.
func (l *lab) mailRows() []row {
	in, kept, out, many := 20000, 5000, 1000, 100000
	if l.quick {
		in, kept, out, many = 200, 200, 50, 100
	}
	keeps := farend("smtp", "--user", "bob:bench", "--data", "DIR/data")
	keeps.name = "farend, durable"
	memory := farend("smtp", "--user", "bob:bench")
	memory.name = "farend, in memory"
	from := func(senders, in int) func(context.Context, *lab, *site) error {
		return func(ctx context.Context, _ *lab, s *site) error {
			if err := client(ctx, "smtp-source", "-d", "-s", strconv.Itoa(senders), "-m", strconv.Itoa(in), "-l", "4096",
				"-f", "a@x.test", "-t", "bob@peers.test", s.at["address"]); err != nil {
				return err
			}
			return delivered(ctx, s.at["maildir"], in)
		}
	}
	rows := []row{{name: "smtp, the disk alone: 4 KiB appended and synced", alone: l.disk}}
	for _, senders := range []int{10, 100} {
		rows = append(rows,
			row{
				name: fmt.Sprintf("smtp, kept on disk, 4 KiB, %d senders", senders), unit: "message", units: float64(kept), scale: 1e6, needs: "smtp-source",
				servers: []server{keeps, {"postfix, local delivery", "postfix", startPostfix}}, work: from(senders, kept),
				before: func(_ context.Context, _ *lab, s *site) error { return emptyMaildir(s.at["maildir"]) },
			},
			row{
				name: fmt.Sprintf("smtp, 4 KiB, %d senders", senders), unit: "message", units: float64(in), scale: 1e6, needs: "smtp-source",
				servers: []server{memory, {"smtp-sink, keeps nothing", "smtp-sink", startSMTPSink}}, work: from(senders, in),
			},
			row{
				name: fmt.Sprintf("smtp, 4 KiB, %d senders, kept by nobody", senders), unit: "message", units: float64(in), scale: 1e6, needs: "smtp-source",
				servers: []server{{"package smtp, keeps nothing", "", startSink}, {"smtp-sink, keeps nothing", "smtp-sink", startSMTPSink}}, work: from(senders, in),
			})
	}
	rows = append(rows, readRows(out, 20)...)
	rows = append(rows, readRows(many, 1)...)
	return append(rows,
		row{
			name: "imap, connect, log in, select, log out, 50 times", unit: "session", units: 50, scale: 1e6,
			servers: mailReaders("imap", out), work: times(50, func(net.Conn, *bufio.Reader) error { return nil }),
		},
		l.idleRow())
}

// disk tells how often the disk that the servers have can sync a file that
// grows (fdatasync(2)), one time after the other.
func (l *lab) disk(_ context.Context, r row) error {
	f, err := os.CreateTemp(l.dir, "disk")
	if err != nil {
		return err
	}
	defer f.Close()
	n, began := 0, time.Now()
	for body := make([]byte, 4096); n < 100 || time.Since(began) < 2*time.Second && !l.quick; n++ {
		if _, err := f.Write(body); err != nil {
			return err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return os.NewSyscallError("fdatasync", err)
		}
	}
	fmt.Fprintf(l.out, "| %s | | %s syncs/s | | |\n", r.name, short(float64(n)/time.Since(began).Seconds()))
	return os.Remove(f.Name())
}

// mailReaders are servers that show bob's letters.
func mailReaders(service string, count int) []server {
	return []server{farendMail(service, count), {"dovecot", "dovecot", startDovecot(service, count, "")}}
}

// readRows read a whole mailbox, so many times.
func readRows(count, again int) []row {
	imap := func(what, command string) row {
		return row{
			name: fmt.Sprintf("imap, %s of %d, %s", what, count, often(again)), unit: "message", units: float64(again * count), scale: 1e6,
			servers: mailReaders("imap", count),
			work:    times(again, func(c net.Conn, r *bufio.Reader) error { return imapFetch(c, r, command, count) }),
		}
	}
	return []row{
		{
			name: fmt.Sprintf("pop3, all %d messages of 4 KiB, pipelined, %s", count, often(again)), unit: "message", units: float64(again * count), scale: 1e6,
			servers: mailReaders("pop3", count), work: times(again, func(c net.Conn, r *bufio.Reader) error { return popAll(c, r, count) }),
		},
		imap("messages of 4 KiB in one FETCH", "FETCH 1:* (BODY.PEEK[])"),
		imap("flags, envelope and structure", "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)"),
	}
}

func often(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// delivered waits until a queue has nothing left to put into a mailbox, and
// counts what is there: what was put off or sent back would have cost less.
func delivered(ctx context.Context, maildir string, want int) error {
	if maildir == "" {
		return nil
	}
	queue := filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(maildir))), "queue")
	for {
		left := 0
		for _, part := range []string{"incoming", "active", "maildrop"} {
			names, err := filepath.Glob(filepath.Join(queue, part, "*"))
			if err != nil {
				return err
			}
			left += len(names)
		}
		if left == 0 {
			there, err := os.ReadDir(filepath.Join(maildir, "new"))
			if err == nil && len(there) != want {
				err = fmt.Errorf("%d of %d messages were delivered", len(there), want)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func emptyMaildir(dir string) error {
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

// letter is one message.
func letter(n int) string {
	head := fmt.Sprintf("From: Ann <ann@x.test>\r\nTo: Bob <bob@peers.test>\r\nSubject: letter %d\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@x.test>\r\n\r\n", n, n)
	return head + strings.Repeat(strings.Repeat("x", 70)+"\r\n", (4096-len(head))/72)
}

// farendMail is a service over a directory with bob's letters, which smtp took.
func farendMail(service string, count int) server {
	sv := farend(service, "--listen", "smtp=127.0.0.1:0", "--user", "bob:secret", "--data", "DIR/data")
	begin := sv.start
	sv.start = func(ctx context.Context, l *lab, dir string) (*site, error) {
		s, err := begin(ctx, l, dir)
		if err != nil {
			return nil, err
		}
		if err := put(s.at["smtp"], count); err != nil {
			s.stop()
			return nil, err
		}
		return s, nil
	}
	return sv
}

// put sends letters over some connections, on each in one flight.
func put(address string, count int) error {
	const conns = 64
	ends := make(chan error, conns)
	for k := range conns {
		go func() {
			var numbers []int
			for n := k; n < count; n += conns {
				numbers = append(numbers, n)
			}
			ends <- putThese(address, numbers)
		}()
	}
	var all []error
	for range conns {
		all = append(all, <-ends)
	}
	return errors.Join(all...)
}

func putThese(address string, numbers []int) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	failed := make(chan error, 1)
	go func() {
		w := bufio.NewWriter(c)
		fmt.Fprint(w, "EHLO bench\r\n")
		for _, n := range numbers {
			text := letter(n)
			fmt.Fprintf(w, "MAIL FROM:<a@x.test>\r\nRCPT TO:<bob@peers.test>\r\nBDAT %d LAST\r\n%s", len(text), text)
		}
		fmt.Fprint(w, "QUIT\r\n")
		failed <- w.Flush()
	}()
	answers, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if err := <-failed; err != nil {
		return err
	}
	if n := bytes.Count(answers, []byte("\n250 ")); n != 3*len(numbers)+1 {
		return fmt.Errorf("%d answers of 250 to %d messages", n, len(numbers))
	}
	return nil
}

// times makes so many sessions, each of which logs in, does its work and says
// goodbye.
func times(n int, work func(net.Conn, *bufio.Reader) error) func(context.Context, *lab, *site) error {
	return func(_ context.Context, _ *lab, s *site) error {
		for range n {
			if err := session(s, work); err != nil {
				return err
			}
		}
		return nil
	}
}

func session(s *site, work func(net.Conn, *bufio.Reader) error) error {
	c, err := net.Dial("tcp", s.at["address"])
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute)) // what waits longer has failed
	r := bufio.NewReaderSize(c, 256<<10)
	greeting, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if strings.HasPrefix(greeting, "+OK") {
		for _, line := range []string{"USER bob", "PASS secret"} {
			if err := popSay(c, r, line); err != nil {
				return err
			}
		}
		if err := work(c, r); err != nil {
			return err
		}
		return popSay(c, r, "QUIT")
	}
	for _, line := range []string{"LOGIN bob secret", "EXAMINE INBOX"} {
		if err := imapSay(c, r, line); err != nil {
			return err
		}
	}
	if err := work(c, r); err != nil {
		return err
	}
	return imapSay(c, r, "LOGOUT")
}

func popSay(c net.Conn, r *bufio.Reader, line string) error {
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		return err
	}
	answer, err := r.ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+OK") {
		err = errors.New(line + ": " + answer)
	}
	return err
}

// popAll retrieves all messages, sixteen at a time.
func popAll(c net.Conn, r *bufio.Reader, count int) error {
	for from := 1; from <= count; from += 16 {
		to := min(from+15, count)
		var ask strings.Builder
		for n := from; n <= to; n++ {
			fmt.Fprintf(&ask, "RETR %d\r\n", n)
		}
		if _, err := io.WriteString(c, ask.String()); err != nil {
			return err
		}
		for range to - from + 1 {
			for first := true; ; first = false {
				line, err := r.ReadSlice('\n')
				if err != nil {
					return err
				}
				if first && line[0] != '+' {
					return fmt.Errorf("RETR: %s", line)
				}
				if len(line) == 3 && line[0] == '.' {
					break
				}
			}
		}
	}
	return nil
}

// imapFetch gives a command that shows so many messages.
func imapFetch(c net.Conn, r *bufio.Reader, command string, count int) error {
	shown, err := imapAsk(c, r, command)
	if err == nil && shown != count {
		err = fmt.Errorf("%s: %d messages, not %d", command, shown, count)
	}
	return err
}

// imapSay gives a command and reads to the end of its answer.
func imapSay(c net.Conn, r *bufio.Reader, command string) error {
	_, err := imapAsk(c, r, command)
	return err
}

// imapAsk is imapSay, and counts the messages that the answer shows.
func imapAsk(c net.Conn, r *bufio.Reader, command string) (shown int, err error) {
	if _, err := io.WriteString(c, "t "+command+"\r\n"); err != nil {
		return 0, err
	}
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return shown, fmt.Errorf("%s: %w", command, err)
		}
		if bytes.HasPrefix(line, []byte("t ")) {
			if !bytes.HasPrefix(line, []byte("t OK")) {
				return shown, fmt.Errorf("%s: %s", command, line)
			}
			return shown, nil
		}
		if line[0] == '*' && bytes.Contains(line[:min(len(line), 24)], []byte(" FETCH (")) {
			shown++
		}
		if open := bytes.LastIndexByte(line, '{'); open >= 0 && bytes.HasSuffix(line, []byte("}\r\n")) {
			n, err := strconv.Atoi(string(line[open+1 : len(line)-3]))
			if err != nil {
				return shown, err
			}
			if _, err := r.Discard(n); err != nil {
				return shown, err
			}
		}
	}
}

func startSMTPSink(ctx context.Context, _ *lab, dir string) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return began(ctx, exec.CommandContext(ctx, find("smtp-sink"), "-u", "nobody", "127.0.0.1:"+port, "1000"), port, "", dir)
}

// startPostfix delivers into bob's Maildir. Its master stays in the foreground,
// so that all of it is one tree.
func startPostfix(ctx context.Context, _ *lab, dir string) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	setup := `cd "$1"; mkdir -p etc queue data mail; chown postfix data; chown mail:mail mail
cat >etc/main.cf <<E
compatibility_level = 3.6
queue_directory = $1/queue
data_directory = $1/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
myhostname = mx.peers.test
mydestination = localhost
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = no
maillog_file = $1/log
maillog_file_prefixes = /
virtual_mailbox_domains = peers.test
virtual_mailbox_base = $1/mail
virtual_mailbox_maps = texthash:$1/etc/vmaps
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_minimum_uid = 1
default_transport = error:no outside mail
smtpd_client_connection_count_limit = 0
local_recipient_maps =
alias_maps =
E
echo "bob@peers.test bob/Maildir/" >etc/vmaps
cat >etc/master.cf <<E
127.0.0.1:$2 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
local unix - n n - - local
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
showq unix n - n - - showq
E
postfix -c "$1/etc" check`
	if err := client(ctx, "sh", "-ec", setup, "-", dir, port); err != nil {
		return nil, err
	}
	s, err := began(ctx, exec.CommandContext(ctx, find("postfix"), "-c", filepath.Join(dir, "etc"), "start-fg"), port, "", dir)
	if err == nil {
		s.at["maildir"] = filepath.Join(dir, "mail", "bob", "Maildir")
	}
	return s, err
}

// startDovecot shows bob's letters, in a Maildir; more is for its
// configuration.
func startDovecot(service string, count int, more string) func(context.Context, *lab, string) (*site, error) {
	return func(ctx context.Context, _ *lab, dir string) (*site, error) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		conf := fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
protocols = %[2]s
listen = 127.0.0.1
log_path = %[1]s/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_max_userip_connections = 10000
passdb {
  driver = static
  args = password={PLAIN}secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/home/%%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
}
service %[2]s-login {
  inet_listener %[2]s {
    port = %[3]s
  }
  inet_listener %[2]ss {
    port = 0
  }
}
%[4]s
`, dir, service, port, more)
		if err := os.WriteFile(filepath.Join(dir, "dovecot.conf"), []byte(conf), 0o644); err != nil {
			return nil, err
		}
		box := filepath.Join(dir, "home", "bob", "Maildir")
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(box, sub), 0o755); err != nil {
				return nil, err
			}
		}
		for i := range count {
			if err := os.WriteFile(filepath.Join(box, "cur", fmt.Sprintf("%d.M%dP1.x:2,", 1700000000+i, i)), []byte(letter(i)), 0o644); err != nil {
				return nil, err
			}
		}
		if err := client(ctx, "chown", "-R", "mail:mail", filepath.Join(dir, "home")); err != nil {
			return nil, err
		}
		return began(ctx, exec.CommandContext(ctx, find("dovecot"), "-F", "-c", filepath.Join(dir, "dovecot.conf")), port, "", dir)
	}
}
