package servertest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench stands in for the *testing.T that a test has.
type bench struct {
	failed   bool
	said     []string
	cleanups []func()
}

func (*bench) Helper()                     {}
func (b *bench) Failed() bool              { return b.failed }
func (b *bench) Logf(f string, a ...any)   { b.said = append(b.said, fmt.Sprintf(f, a...)) }
func (b *bench) Fatalf(f string, a ...any) { b.failed = true; b.Logf(f, a...) }
func (b *bench) Cleanup(f func())          { b.cleanups = append(b.cleanups, f) }
func (b *bench) end() {
	for _, f := range slices.Backward(b.cleanups) {
		f()
	}
}

// ask says a word to a server of package simple, and hears the answer.
func ask(address string) (string, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	if _, err := nc.Write([]byte("word\n")); err != nil {
		return "", err
	}
	answer := make([]byte, 5)
	n, err := io.ReadFull(nc, answer)
	return string(answer[:n]), err
}

func Example() {
	t := &bench{}
	address := servertest.Serve(t, &server.Server{Handler: simple.EchoHandler()})
	fmt.Println(ask(address))
	t.end()
	// Output:
	// word
	//  <nil>
}

func TestTellsWhatWasSaidWhereTheTestHasFailed(t *testing.T) {
	for _, engine := range []server.Engine{server.Goroutines(), server.Events()} {
		for _, failed := range []bool{false, true} {
			b := &bench{failed: failed}
			room := servertest.Room{Protocol: "echo", Change: func(s *server.Server) { s.Engine = engine }}
			if got, err := ask(room.Serve(b, &server.Server{Handler: simple.EchoHandler()})); got != "word\n" {
				t.Errorf("%q, %v", got, err)
			}
			b.end()
			if said := strings.Join(b.said, ""); strings.Contains(said, "# echo session") != failed || strings.Contains(said, "S: word") != failed {
				t.Errorf("failed: %v, said: %s", failed, said)
			}
		}
	}
}

func TestFaultsAreToldAmongThem(t *testing.T) {
	b := &bench{failed: true}
	room := servertest.Room{Protocol: "echo", Faults: []faults.Rule{{Do: faults.Reset, After: 3, Dir: faults.Out}}}
	if got, err := ask(room.Serve(b, &server.Server{Handler: simple.EchoHandler()})); err == nil {
		t.Errorf("%q came in spite of it", got)
	}
	b.end()
	if said := strings.Join(b.said, ""); !strings.Contains(said, "reset") {
		t.Error(said)
	}
}

// broken is an engine that fails.
type broken struct{}

func (broken) Serve(_ context.Context, l net.Listener, _ *server.Server) error {
	return fmt.Errorf("no more: %w", l.Close())
}

func TestAServerThatFailsFailsTheTest(t *testing.T) {
	b := &bench{}
	servertest.Serve(b, &server.Server{Handler: simple.EchoHandler(), Engine: broken{}})
	b.end()
	if !b.failed || !strings.Contains(strings.Join(b.said, ""), "no more") {
		t.Error(b.said)
	}
}

func TestSay(t *testing.T) {
	heard, err := servertest.Say(t, &server.Server{Handler: simple.EchoHandler()}, []byte("word\nwords"))
	if string(heard) != "word\nwords" || err != nil {
		t.Errorf("%q, %v", heard, err)
	}
	b := &bench{}
	bug := server.Stream(func(context.Context, net.Conn) error { panic("a bug") })
	_, _ = servertest.Say(b, &server.Server{Handler: bug}, []byte("word\n")) // whatever it answers
	if !b.failed {
		t.Error("a panic was not seen")
	}
}
