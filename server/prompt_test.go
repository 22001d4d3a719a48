package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// prompting answers lines that begin with "now" at once, and says how each was
// answered.
type prompting struct {
	t       *server.Talk
	pushing bool
}

func (*prompting) Mode() server.Mode { return server.Blocks }

func (*prompting) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &prompting{t: t}, nil
}

func (p *prompting) Prompt(context.Context) error {
	line, err := p.t.R.Line()
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(string(line), "now"):
		return wire.ErrWait
	case string(line) == "now panic":
		panic("now")
	case string(line) == "now end":
		return io.EOF
	case string(line) == "now push":
		p.pushing = true // here only, so that the loop has the talk
		p.t.Wake()
	}
	return p.t.W.Line([]byte("prompt " + string(line)))
}

func (p *prompting) Turn(context.Context) error {
	line, err := p.t.R.Line()
	if err != nil {
		return err
	}
	if string(line) == "end" {
		return io.EOF
	}
	return p.t.W.Line([]byte("turn " + string(line)))
}

func (p *prompting) Push(context.Context) error {
	if !p.pushing {
		return nil
	}
	p.pushing = false
	return p.t.W.Line([]byte("pushed"))
}

func (*prompting) Close(error) error { return nil }

// asker asks line by line, and tells who has answered the last one.
type asker struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func newAsker(t *testing.T, engine server.Engine) *asker {
	t.Helper()
	nc, err := net.Dial("tcp", servertest.Serve(t, &server.Server{Handler: &prompting{}, Engine: engine}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &asker{t, nc, bufio.NewReader(nc)}
}

func (a *asker) say(lines ...string) {
	a.t.Helper()
	if _, err := io.WriteString(a.nc, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		a.t.Fatal(err)
	}
}

func (a *asker) ask(lines ...string) (who string) {
	a.t.Helper()
	a.say(lines...)
	for _, line := range lines {
		reply, err := a.r.ReadString('\n')
		by, said, _ := strings.Cut(strings.TrimSpace(reply), " ")
		if err != nil || said != line {
			a.t.Fatalf("%q, %v; want %q", reply, err, line)
		}
		who = by
	}
	return who
}

// settle returns when the loop has the talk: a goroutine that has just answered
// may take the next line too.
func (a *asker) settle() {
	for a.ask("now") != "prompt" { // or the deadline of the connection ends it
	}
}

// What a Prompt has answered and what it has left to a Turn comes in the order
// of the requests, however they arrive.
func TestPrompt(t *testing.T) {
	a := newAsker(t, server.Goroutines())
	a.ask("now 1", "wait 2", "now 3", "wait 4")
	if !hasEvents {
		t.Skip("no events engine on this system")
	}
	a = newAsker(t, server.Events())
	a.ask("wait")
	a.ask("now 1", "wait 2", "now 3", "wait 4", "wait 5", "now 6")
	for i := range 50 {
		a.ask(fmt.Sprint("now ", i), fmt.Sprint("wait ", i))
	}
	a.settle()
	a.ask("now push")
	if line, err := a.r.ReadString('\n'); line != "pushed\r\n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	a.settle()
	a.say("now end", "end")
	if rest, err := io.ReadAll(a.r); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// A panic in a Prompt ends its talk, and no other.
func TestPromptPanic(t *testing.T) {
	if !hasEvents {
		t.Skip("no events engine on this system")
	}
	engine := server.EventsWith(server.EventOptions{Loops: 1})
	a, other := newAsker(t, engine), newAsker(t, engine)
	a.settle()
	a.say("now panic")
	if line, err := a.r.ReadString('\n'); line != "" || !errors.Is(err, io.EOF) {
		t.Errorf("%q, %v", line, err)
	}
	other.settle()
}

const hasEvents = runtime.GOOS == "linux"
