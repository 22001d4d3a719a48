package transcript_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv/transcript"
)

const greeting = `# a small protocol
S~ hello \d+
S= hello 1
C: SAY one
C: SAY two
S: one
S: two
C: PASS ***
S: in
C: QUIT
S: bye
S.
`

func script(t *testing.T, text string) *transcript.Script {
	t.Helper()
	s, err := transcript.Parse("test.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve speaks the small protocol.
func serve(_ context.Context, nc net.Conn) error {
	fmt.Fprint(nc, "hello 4711\r\n")
	for r := bufio.NewReader(nc); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		verb, arg, _ := strings.Cut(strings.TrimSuffix(line, "\r\n"), " ")
		switch verb {
		case "SAY":
			fmt.Fprintf(nc, "%s\r\n", arg)
		case "PASS":
			fmt.Fprint(nc, "in\r\n")
		case "QUIT":
			fmt.Fprint(nc, "bye\r\n")
			return nil
		}
	}
}

// client speaks it from the other side.
func client(_ context.Context, nc net.Conn) error {
	r := bufio.NewReader(nc)
	expect := func(want string) error {
		line, err := r.ReadString('\n')
		if err == nil && strings.TrimSuffix(line, "\r\n") != want {
			err = fmt.Errorf("got %q", line)
		}
		return err
	}
	if _, err := r.ReadString('\n'); err != nil {
		return err
	}
	fmt.Fprint(nc, "SAY one\r\nSAY two\r\n")
	err := errors.Join(expect("one"), expect("two"))
	fmt.Fprint(nc, "PASS sesame\r\n")
	err = errors.Join(err, expect("in"))
	fmt.Fprint(nc, "QUIT\r\n")
	return errors.Join(err, expect("bye"))
}

// judge is a TB that keeps what is reported.
type judge struct {
	*testing.T
	said []string
}

func (j *judge) Errorf(format string, args ...any) {
	j.said = append(j.said, fmt.Sprintf(format, args...))
}

func TestServer(t *testing.T) { transcript.Server(t, script(t, greeting), serve) }
func TestClient(t *testing.T) { transcript.Client(t, script(t, greeting), client) }

func TestServerFindsFaults(t *testing.T) {
	whole := script(t, greeting)
	for _, c := range []struct {
		name  string
		serve func(ctx context.Context, nc net.Conn) error
		want  string
	}{
		{"another word", func(_ context.Context, nc net.Conn) error {
			fmt.Fprint(nc, "hello x\r\n")
			return nil
		}, `test.txt:2: the server: want a line that fits "hello \\d+", got "hello x\r\n"`},
		{"silence", func(context.Context, net.Conn) error { return nil }, "EOF"},
		{"more than asked for", func(ctx context.Context, nc net.Conn) error {
			err := serve(ctx, nc)
			fmt.Fprint(nc, "and more\r\n")
			return err
		}, `want the end, got "and more\r\n"`},
		{"one line for each read", func(_ context.Context, nc net.Conn) error {
			fmt.Fprint(nc, "hello 1\r\n")
			buf := make([]byte, 1000)
			for _, answer := range []string{"one\r\ntwo\r\n", "in\r\n", "bye\r\n"} {
				if _, err := nc.Read(buf); err != nil {
					return err
				}
				fmt.Fprint(nc, answer)
			}
			return nil
		}, "cut at byte 0"},
	} {
		j := &judge{T: t}
		transcript.Server(j, whole, c.serve)
		if len(j.said) != 1 || !strings.Contains(j.said[0], c.want) {
			t.Errorf("%s: %q, want %q", c.name, j.said, c.want)
		}
	}
}

func TestServerFindsOneThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &judge{T: t}
		transcript.Server(j, script(t, "S: hello\nC: QUIT\nS: bye\n"), func(ctx context.Context, nc net.Conn) error {
			fmt.Fprint(nc, "hello\r\n")
			if line, err := bufio.NewReader(nc).ReadString('\n'); err == nil && line == "QUIT\r\n" {
				fmt.Fprint(nc, "bye\r\n")
				return nil
			}
			<-ctx.Done() // forgets to look at the end
			return nil
		})
		if len(j.said) != 1 || !strings.Contains(j.said[0], "ended at byte 0") {
			t.Errorf("%q", j.said)
		}
	})
}

func TestClientFindsFaults(t *testing.T) {
	j := &judge{T: t}
	transcript.Client(j, script(t, greeting), func(ctx context.Context, nc net.Conn) error {
		return errors.Join(client(ctx, nc), errors.New("not content"))
	})
	if len(j.said) != 1 || !strings.Contains(j.said[0], "the client: not content") {
		t.Errorf("%q", j.said)
	}
	j = &judge{T: t}
	transcript.Client(j, script(t, "S~ hello .*\nC: QUIT\n"), client)
	if len(j.said) != 1 || !strings.Contains(j.said[0], "test.txt:1: S~ cannot be said") {
		t.Errorf("%q", j.said)
	}
}

func TestPlayEnds(t *testing.T) {
	s := script(t, "C: hello\nC.\nS: hi\nS!\n")
	ours, theirs := transcript.Pipe()
	done := make(chan error, 1)
	go func() { done <- transcript.Play(t.Context(), theirs, s, transcript.ServerSide) }()
	if err := transcript.Play(t.Context(), ours, s, transcript.ClientSide); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ours.Close()
}

func TestPlayObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transcript.Pipe()
		defer ours.Close()
		defer theirs.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := transcript.Play(ctx, ours, script(t, "S: hello\n"), transcript.ClientSide); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestPlaySaysWhatWasTooMuch(t *testing.T) {
	ours, theirs := transcript.Pipe()
	defer ours.Close()
	io.WriteString(theirs, "hello\r\nworld\r\n")
	theirs.Close()
	err := transcript.Play(t.Context(), ours, script(t, "S: hello\n"), transcript.ClientSide)
	if err == nil || !strings.Contains(err.Error(), `the server said more: "world\r\n"`) {
		t.Error(err)
	}
}
