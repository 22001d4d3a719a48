package server_test

import (
	"bufio"
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
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// The variables by which TestHandover tells TestHandoverGeneration what to do.
const (
	genEngine  = "HANDOVER_TEST_ENGINE"
	genAddress = "HANDOVER_TEST_ADDRESS"
	genSockets = "HANDOVER_TEST_SOCKETS"
)

// teller answers every connection with the number of its process, once, or
// does what the line asks for.
type teller struct{ verbs chan string }

func (teller) Mode() server.Mode { return server.Inline }
func (h teller) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &tellSession{h, t}, nil
}

type tellSession struct {
	h teller
	t *server.Talk
}

func (s *tellSession) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if verb := string(line); verb != "who" {
		s.h.verbs <- verb
	}
	return errors.Join(s.t.W.LineString(strconv.Itoa(os.Getpid())), io.EOF)
}

func (s *tellSession) Close(error) error { return nil }

// TestHandoverGeneration is the program that TestHandover starts, which starts
// itself again.
func TestHandoverGeneration(t *testing.T) {
	if os.Getenv(genEngine) == "" {
		t.Skip("started by TestHandover")
	}
	in, err := server.Inherit(server.Process{})
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := strconv.Atoi(os.Getenv(genSockets))
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen(t.Context(), os.Getenv(genAddress), server.ListenConfig{Inherited: in, Name: "who", Sockets: sockets})
	if err != nil {
		t.Fatal(err)
	}
	h := &server.Handover{Command: []string{os.Args[0], "-test.run=^TestHandoverGeneration$", "-test.timeout=60s"}}
	if l, err = h.Keep("who", l); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	srv := &server.Server{Engine: kind{engine: os.Getenv(genEngine)}.newEngine(2), Handler: teller{make(chan string, 1)}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	fmt.Println("address", l.Addr())
	if err := in.Ready(); err != nil {
		t.Fatal(err)
	}
	if verb := <-srv.Handler.(teller).verbs; verb == "handover" {
		p, err := h.Start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
	} else {
		stop()
	}
	if err := errors.Join(<-served, h.Close()); err != nil {
		t.Fatal(err)
	}
}

// generations is the first process and what came of it.
type generations struct {
	t       *testing.T
	network string
	address string
	ended   chan struct{} // every process has ended
}

func startGenerations(t *testing.T, engine, address string, sockets int) *generations {
	t.Helper()
	c := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^TestHandoverGeneration$", "-test.timeout=60s")
	c.Env = append(os.Environ(), genEngine+"="+engine, genAddress+"="+address, genSockets+"="+strconv.Itoa(sockets))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = w, w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	g := &generations{t: t, network: "tcp", ended: make(chan struct{})}
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	g.address = strings.TrimSpace(strings.TrimPrefix(line, "address "))
	if strings.HasPrefix(address, "unix:") {
		g.network = "unix"
	}
	go func() { // the pipe ends with the last process that has it
		defer close(g.ended)
		defer r.Close()
		rest, _ := io.ReadAll(out)
		if strings.Contains(string(rest), "FAIL") {
			t.Errorf("%s", rest)
		}
	}()
	t.Cleanup(func() {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// open connects.
func (g *generations) open() (net.Conn, error) {
	c, err := net.DialTimeout(g.network, g.address, 15*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(15 * time.Second))
}

// say says a line on c and gives the number of the process that answered.
func say(c net.Conn, line string) (string, error) {
	defer c.Close()
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	if !strings.HasSuffix(string(b), "\r\n") {
		return "", fmt.Errorf("got %q", b)
	}
	return strings.TrimSpace(string(b)), nil
}

func (g *generations) say(line string) (string, error) {
	c, err := g.open()
	if err != nil {
		return "", err
	}
	return say(c, line)
}

// hammer connects from many goroutines until the end, and counts who answered.
func (g *generations) hammer(end <-chan struct{}, answered func(pid string)) (wait func()) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				pid, err := g.say("who")
				if err != nil {
					g.t.Errorf("a connection was lost: %v", err)
					return
				}
				answered(pid)
			}
		})
	}
	return wg.Wait
}

func TestHandover(t *testing.T) {
	for _, tt := range []struct {
		engine, network string
		sockets         int
	}{
		{"goroutines", "tcp", 1}, {"goroutines", "tcp", 3}, {"goroutines", "unix", 1},
		{"events", "tcp", 2}, {"events", "tcp", 3}, {"events", "tcp", 1}, {"events", "unix", 1},
		{"uring", "tcp", 2}, {"uring", "tcp", 3}, {"uring", "tcp", 1}, {"uring", "unix", 1},
	} {
		t.Run(fmt.Sprintf("%s/%s/%d", tt.engine, tt.network, tt.sockets), func(t *testing.T) {
			needEngine(t, tt.engine)
			address := "127.0.0.1:0"
			if tt.network == "unix" {
				address = "unix:" + filepath.Join(servertest.Dir(t), "s")
			}
			handOver(t, startGenerations(t, tt.engine, address, tt.sockets))
		})
	}
}

// handOver hands over three times under load.
func handOver(t *testing.T, g *generations) {
	const generations, each = 4, 300
	end := make(chan struct{})
	var mu sync.Mutex
	count := map[string]int{}
	next := make(chan struct{}, generations)
	wait := g.hammer(end, func(pid string) {
		mu.Lock()
		defer mu.Unlock()
		if count[pid]++; count[pid] == each {
			next <- struct{}{}
		}
	})
	early, err := g.open()
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for i := range generations {
		select {
		case <-next:
		case <-time.After(20 * time.Second):
			t.Fatal("no successor answers")
		}
		if i == 0 {
			if first, err = g.say("who"); err != nil {
				t.Fatal(err)
			}
		}
		if i < generations-1 {
			if _, err := g.say("handover"); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(end)
	wait()
	if len(count) != generations {
		t.Errorf("%d processes answered: %v", len(count), count)
	}
	if pid, err := say(early, "who"); err != nil || pid != first {
		t.Errorf("the connection of before was answered by %s, not %s: %v", pid, first, err)
	}
	if _, err := g.say("quit"); err != nil {
		t.Error(err)
	}
	select {
	case <-g.ended:
	case <-time.After(20 * time.Second):
		t.Error("a process does not end")
	}
}
