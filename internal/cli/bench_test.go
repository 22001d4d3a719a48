package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/internal/cli"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

// bench runs farend bench.
func bench(ctx context.Context, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = cli.Main(ctx, append([]string{"bench"}, args...), strings.NewReader(""), &o, &e, nil)
	return code, o.String(), e.String()
}

func TestBenchReports(t *testing.T) {
	echo := servertest.Serve(t, &server.Server{Handler: simple.EchoHandler()})
	greet := servertest.Serve(t, &server.Server{Handler: simple.GreetHandler(nil)})
	upper := servertest.Serve(t, &server.Server{Handler: simple.UpperHandler(nil)})
	secret := servertest.Serve(t, &server.Server{Handler: simple.EchoHandler(), TLS: testcert.Server(t)})
	for _, tt := range []struct{ args, want string }{
		{"-n 20 -c 2 tcp://" + echo, "bytes     out 1.28 kB  in 1.28 kB"},
		{"-n 10 --depth 5 --size 1KiB tcp://" + echo, "out 10.2 kB"},
		{"-n 10 --pipeline 5 " + echo, "errors    reset 0, timeout 0, wrong answer 0\n"},
		{"-n 20 --send hello\\n --expect line --rate 100000 " + echo, "of 100 000/s wanted"},
		{"-n 3 --as line " + echo, "out 18 B  in 18 B"},
		{"-n 3 echo://" + echo, "out 192 B  in 192 B"},
		{"-n 3 greet://" + greet, "from connecting"},
		{"-n 3 --as upper " + upper, "out 36 B  in 36 B"},
		{"-n 3 -k tls://" + secret, "out 192 B  in 192 B"},
		{"-n 3 --max errors<1 --max p50<1h " + echo, "max       errors<1: met, it is 0\n"},
		{"-n 3 --source 127.0.0.1 " + echo, "connect   1 ok"},
	} {
		code, out, errs := bench(t.Context(), strings.Fields(tt.args)...)
		if code != 0 || !strings.Contains(out, tt.want) || strings.Contains(errs, "farend:") {
			t.Errorf("%s: exit %d\n%s%s", tt.args, code, out, errs)
		}
	}
}

func TestBenchMissesAndCompares(t *testing.T) {
	echo := servertest.Serve(t, &server.Server{Handler: simple.EchoHandler()})
	code, out, errs := bench(t.Context(), "tcp://"+echo, "-n", "50", "--json", "--max", "max<0s", "--max", "errors<=0")
	if code != 99 || !strings.HasPrefix(errs, "farend: bench: missed: max<0s (") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, %q", code, errs)
	}
	var got struct {
		Target  string
		Replies int
		Latency struct {
			Count int
			P99   int64 `json:"p99_ns"`
		}
		Errors map[string]int
		Goals  []struct {
			Goal string
			Met  bool
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("%v: %q", err, out)
	}
	if got.Target != "tcp:"+echo || got.Replies != 50 || got.Latency.Count != 50 || got.Latency.P99 <= 0 || len(got.Errors) != 9 {
		t.Errorf("%+v", got)
	}
	if len(got.Goals) != 2 || got.Goals[0].Met || !got.Goals[1].Met || got.Goals[1].Goal != "errors<=0" {
		t.Errorf("%+v", got.Goals)
	}
	before := filepath.Join(t.TempDir(), "before.json")
	if err := os.WriteFile(before, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = bench(t.Context(), "tcp://"+echo, "-n", "50", "--compare", before)
	if code != 0 || !strings.Contains(out, "\n p99.9     ") || !strings.Contains(out, " → ") || strings.Contains(out, "another plan") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	_, out, _ = bench(t.Context(), "tcp://"+echo, "-n", "50", "-c", "2", "--compare", before)
	if !strings.Contains(out, "another plan: tcp:"+echo+", 1 connections") {
		t.Error(out)
	}
}

func TestBenchFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	liar := servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		_, err := c.Write([]byte("I say what I want, whatever it is that I was asked, and so on, and so on.\n"))
		_, _ = io.Copy(io.Discard, c)
		return err
	})})
	secret := servertest.Serve(t, &server.Server{Handler: simple.EchoHandler(), TLS: testcert.Server(t)})
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		code       int
		args, want string
	}{
		{2, "", "what?"},
		{2, "a:1 b:1", "one URL, not 2"},
		{2, "localhost", "is no endpoint"},
		{2, "-n 0 localhost:1", "at least one request"},
		{2, "-n x localhost:1", `--requests "x": want a whole number`},
		{2, "localhost:nosuch", "no service is called nosuch"},
		{2, "tcp://2130706433:1", "only in full (127.0.0.1)"},
		{2, "greet://127.1:1", "only in full (127.0.0.1)"},
		{2, "-c 0 localhost:1", "at least one connection"},
		{2, "-d never localhost:1", "want a time"},
		{2, "--send \\q localhost:1", `\q is no escape`},
		{2, "--send a --size 5 localhost:1", "not both"},
		{2, "--size big localhost:1", "want a size"},
		{2, "--expect text: localhost:1", "same, line, N bytes, or a text"},
		{2, "--max p99 localhost:1", "goal"},
		{2, "--as whist localhost:1", "echo, ftp, ftps, gopher"},
		{2, "--as greet --send a localhost:1", "knows what to send"},
		{2, "--source here localhost:1", "not an address"},
		{2, "--compare /nonexistent/file localhost:1", "no such file"},
		{2, "--compare " + garbage + " localhost:1", "not the --json of a bench"},
		{2, "--cacert " + garbage + " localhost:1", "no PEM certificate"},
		{1, "-c 2000000000 localhost:1", "open files"},
		{1, "-n 1 " + nobody, "connection refused"},
		{1, "-n 1 tls://" + secret, "certificate"},
		{1, "-n 2 " + liar, "wrong answer"},
	} {
		code, _, errs := bench(t.Context(), strings.Fields(tt.args)...)
		last := errs[strings.LastIndex(strings.TrimSpace(errs), "\n")+1:]
		if code != tt.code || !strings.HasPrefix(last, "farend: ") || !strings.Contains(last, tt.want) {
			t.Errorf("%s: exit %d, %q", tt.args, code, errs)
		}
	}
}

func TestBenchInterrupted(t *testing.T) {
	signals := make(chan os.Signal, 1)
	n := 0
	busy := servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		b := make([]byte, 64)
		for {
			if _, err := io.ReadFull(c, b); err != nil {
				return nil
			}
			if n++; n == 100 {
				signals <- syscall.SIGINT
			}
			if _, err := c.Write(b); err != nil {
				return err
			}
		}
	})})
	code, out, errs := bench(cli.WithSignals(t.Context(), signals), busy, "-d", "1h")
	if code != 130 || !strings.Contains(out, "interrupted after") || errs != "" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}
