//go:build unix

package app

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// terminalFor is how long a client may take to tell what its terminal is.
const terminalFor = time.Second

// checkExec: there are pseudo-terminals.
func checkExec() error { return nil }

// execTelnet gives each session a command of its own on a pseudo-terminal. The
// command ends with the session, and the session with the command.
func execTelnet(command string) func(ctx context.Context, c *telnet.Conn, user string) error {
	return func(ctx context.Context, c *telnet.Conn, _ string) error {
		p := &program{c: c, told: make(chan struct{}), began: make(chan struct{})}
		c.Notify(p.event)
		p.settled()
		var reading sync.WaitGroup
		reading.Go(p.read)
		err := p.run(ctx, command)
		_ = c.Interrupt() // fails only where the connection is gone
		reading.Wait()
		return err
	}
}

// program is a command on a pseudo-terminal.
type program struct {
	c     *telnet.Conn
	once  sync.Once
	told  chan struct{} // closed: the client has told of its terminal, or will not
	began chan struct{} // closed: tty is there, or will not be

	mu  sync.Mutex
	tty *os.File // nil: not yet, or not any more
	cmd *exec.Cmd
}

// run starts the command and has its output go to the client.
func (p *program) run(ctx context.Context, command string) error {
	stopping := server.Stopping(ctx)
	late := time.NewTimer(terminalFor)
	defer late.Stop()
	select {
	case <-p.told:
	case <-late.C:
	case <-stopping:
	}
	tty, err := p.start(command)
	close(p.began)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-ended:
		case <-stopping:
			p.hangUp()
		}
	})
	_, err = io.Copy(p.c, tty)
	if errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) { // nobody has the terminal open any more
		err = nil
	}
	p.hangUp()
	_ = p.cmd.Wait() // how it ended is between it and the client
	close(ended)
	watching.Wait()
	return err
}

func (p *program) start(command string) (*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.c.Peer()
	p.cmd = exec.Command("/bin/sh", "-c", command) //nolint:noctx // it ends with the session, which hangs up first
	name := "network"
	if len(peer.Terminals) > 0 {
		told := strings.ToLower(peer.Terminals[0])
		if told != "" && strings.Trim(told, "abcdefghijklmnopqrstuvwxyz0123456789+-._") == "" {
			name = told
		}
	}
	p.cmd.Env = append(os.Environ(), "TERM="+name)
	var err error
	p.tty, err = pty.StartWithSize(p.cmd, window(peer))
	return p.tty, err
}

func window(peer telnet.Peer) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(peer.Width), Rows: uint16(peer.Height)} //nolint:gosec // NAWS has 16 bits
}

// hangUp ends the command as a terminal that is gone does, then in earnest:
// nothing of it may outlive the session.
func (p *program) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty == nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGHUP) // whoever has ended already needs none
	_ = p.tty.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	p.tty = nil
}

// event takes what is no data: by whoever reads.
func (p *program) event(e telnet.Event) error {
	keys := map[telnet.Command]byte{
		telnet.IP: 3, telnet.BRK: 3, telnet.EC: 127, telnet.EL: 21, telnet.EOF: 4, telnet.SUSP: 26, telnet.ABORT: 28,
	}
	switch key, ok := keys[e.Command]; {
	case e.Kind == telnet.Told && ok:
		return p.write([]byte{key})
	case e.Kind == telnet.Told && e.Command == telnet.AO:
		return p.c.Synch()
	case e.Kind == telnet.Told && e.Command == telnet.AYT:
		_, err := io.WriteString(p.c, "\r\n[Yes]\r\n")
		return err
	case e.Kind == telnet.Sub && e.Option == telnet.NAWS:
		p.resize()
	}
	p.settled()
	return nil
}

// settled tells run when the terminal is known.
func (p *program) settled() {
	var waiting bool
	_ = p.c.Do(func(n *telnet.NVT) {
		_, name := n.States(telnet.TTYPE)
		_, size := n.States(telnet.NAWS)
		waiting = !name.Settled() || !size.Settled() || name == telnet.Yes && !n.Peer.Named || size == telnet.Yes && n.Peer.Width == 0
	}) // a connection that is gone is told by who reads
	if !waiting {
		p.once.Do(func() { close(p.told) })
	}
}

func (p *program) resize() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty != nil {
		_ = pty.Setsize(p.tty, window(p.c.Peer())) // a program that has just ended needs no window
	}
}

// read has what the client types go to the command. The end of a line is CR LF
// or CR, and a terminal's key for it CR; what is binary goes as it is.
func (p *program) read() {
	buf, cr := make([]byte, 16<<10), false
	for {
		n, err := p.c.Read(buf)
		p.once.Do(func() { close(p.told) })
		keys := buf[:n]
		if p.binary() {
			cr = false
		} else {
			keys, cr = enterKeys(keys, cr)
		}
		if werr := p.write(keys); err != nil || werr != nil {
			break
		}
	}
	<-p.began
	p.hangUp()
}

// binary tells whether the client sends bytes (RFC 856).
func (p *program) binary() (on bool) {
	_ = p.c.Do(func(n *telnet.NVT) { on = n.Theirs(telnet.Binary) }) // a connection that is gone is told by who reads
	return on
}

// enterKeys makes CR of CR LF, in place. cr: a CR came last.
func enterKeys(b []byte, cr bool) (keys []byte, after bool) {
	keys = b[:0]
	for _, c := range b {
		if c != '\n' || !cr {
			keys = append(keys, c)
		}
		cr = c == '\r'
	}
	return keys, cr
}

// write types keys.
func (p *program) write(keys []byte) error {
	<-p.began
	p.mu.Lock()
	tty := p.tty
	p.mu.Unlock()
	if tty == nil {
		return os.ErrClosed
	}
	_, err := tty.Write(keys)
	return err
}
