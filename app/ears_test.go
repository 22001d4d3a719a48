package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/proto/simple"
)

// buffer may be written by many.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serveOnce serves while f runs, and returns when every conversation has ended.
func serveOnce(t *testing.T, cfg app.Config, f func(r app.Ready)) {
	t.Helper()
	a, err := app.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	f(a.Ready())
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// converse sends text, ends our half, and reads to the end.
func converse(t *testing.T, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(c)
	if err != nil {
		t.Logf("reading: %v", err)
	}
	return string(back)
}

// plain takes times and ports out of a text.
func plain(s string) string {
	s = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(s, "ADDRESS")
	return regexp.MustCompile(`\+\d+\.\d+`).ReplaceAllString(s, "+TIME")
}

func TestExplain(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		var out buffer
		serveOnce(t, app.Config{Listen: at(t, "echo=:0"), Engine: engine, Ears: []app.Ear{app.Explain(&out)}}, func(r app.Ready) {
			if got := converse(t, r.Services[0].Address, "Hello, world\n"); got != "Hello, world\n" {
				t.Errorf("%q", got)
			}
		})
		const want = `#1 +TIME  accepted ADDRESS by echo at ADDRESS
#1 +TIME  ← 13 B  48 65 6c 6c 6f 2c 20 77 6f 72 6c 64 0a  Hello, world.
#1 +TIME  → 13 B  48 65 6c 6c 6f 2c 20 77 6f 72 6c 64 0a  Hello, world.
#1 +TIME  ← FIN   your side will send no more; I may still send
#1 +TIME  → FIN   closed cleanly
`
		if got := plain(out.String()); got != want {
			t.Errorf("%s: it explained\n%s\nwant\n%s", engine, got, want)
		}
	}
}

func TestExplainNotes(t *testing.T) {
	for _, c := range []struct{ service, say, note string }{
		{"echo", "no end", "no line end."},
		{"echo", "", "you closed without a word"},
		{"upper", strings.Repeat("x", 1024), "receives once"},
		{"upper", "x\n", "I close first"},
		{"echo", strings.Repeat("x", 2000) + "\n", "longer than 1024"},
		{"greet", "", "I close first"},
	} {
		var out buffer
		serveOnce(t, app.Config{Listen: at(t, c.service+"=tcp::0"), Ears: []app.Ear{app.Explain(&out)}, OwnName: nobody}, func(r app.Ready) {
			converse(t, r.Services[0].Address, c.say)
		})
		if got := out.String(); !strings.Contains(got, c.note) {
			t.Errorf("%s on %q: no note %q in\n%s", c.service, c.say, c.note, got)
		}
	}
}

func TestExplainPackets(t *testing.T) {
	var out buffer
	serveOnce(t, app.Config{Listen: at(t, "upper=udp:127.0.0.1:0"), Ears: []app.Ear{app.Explain(&out)}}, func(r app.Ready) {
		c, err := net.Dial("udp", r.Services[0].Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, text := range []string{"abc\n", "\n"} {
			if _, err := simple.Upper(t.Context(), c, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	})
	const want = `upper udp ← ADDRESS  4 B  61 62 63 0a  abc.
           note: a datagram comes whole or not at all, and nobody says that one was lost: give your recv a timeout.
upper udp → ADDRESS  3 B  41 42 43  ABC
upper udp ← ADDRESS  1 B  0a  .
upper udp → ADDRESS  0 B
           note: an empty datagram is one too: recv gives b'', which here does not mean the end.
`
	if got := plain(out.String()); got != want {
		t.Errorf("it explained\n%s\nwant\n%s", got, want)
	}
}

func nobody(context.Context) (string, []netip.Addr, error) { return "box", nil, nil }

func TestTranscript(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "talks")
	serveOnce(t, app.Config{Listen: at(t, "echo=:0"), Transcript: dir}, func(r app.Ready) {
		for range 2 {
			converse(t, r.Services[0].Address, "one\r\ntwo\r\n")
		}
		c, err := net.Dial("udp", r.Services[1].Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := simple.Echo(t.Context(), c, []byte("gram")); err != nil {
			t.Fatal(err)
		}
	})
	for file, words := range map[string][]string{
		"echo-0001.txt":     {" C: one\n", " S: two\n", " C.\n", " S.\n"},
		"echo-0002.txt":     {" C: one\n"},
		"echo-udp-0001.txt": {" C: gram\\c\n", " S: gram\\c\n"},
	} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, w := range words {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s has no %q:\n%s", file, w, b)
			}
		}
	}
}

func TestTranscriptThatCannotBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	inTheWay := func() {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said notices
	serveOnce(t, app.Config{Listen: at(t, "echo=:0"), Transcript: path, Notice: said.add}, func(r app.Ready) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		inTheWay()
		if got := converse(t, r.Services[0].Address, "goes on"); got != "goes on" {
			t.Errorf("%q", got)
		}
	})
	if !strings.Contains(said.String(), "writing a transcript") {
		t.Errorf("it said %q", said.String())
	}
	a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "echo=:0"), Transcript: path})
	if err == nil {
		a.Close()
	}
	if !errors.Is(err, syscall.ENOTDIR) || isConfigError(err) {
		t.Errorf("at the start: %v", err)
	}
}

func TestFault(t *testing.T) {
	var said notices
	var r2 app.Recorder
	cfg := app.Config{Listen: at(t, "echo=:0"), Faults: []string{"echo after=5 do=close times=1"}, Notice: said.add, Ears: []app.Ear{&r2}}
	serveOnce(t, cfg, func(r app.Ready) {
		if got := converse(t, r.Services[0].Address, "hello, far end"); got != "hello" {
			t.Errorf("the first time: %q", got)
		}
		if got := converse(t, r.Services[0].Address, "hello, far end"); got != "hello, far end" {
			t.Errorf("the second time: %q", got)
		}
	})
	if got := said.String(); !strings.Contains(got, "FAULT 1/1 echo after=5 do=close times=1") {
		t.Errorf("it said %q", got)
	}
	var out strings.Builder
	if _, err := r2.WriteTo(&out); err != nil || r2.Count() != 2 {
		t.Fatal(err, r2.Count())
	}
	if got := out.String(); !strings.Contains(got, "FAULT 1/1") || !strings.Contains(got, "C: hello, far end\\c") {
		t.Errorf("it remembers\n%s", got)
	}
}

func TestRecorderKeepsTheEnd(t *testing.T) {
	var rec app.Recorder
	serveOnce(t, app.Config{Listen: at(t, "echo=:0"), Ears: []app.Ear{&rec}}, func(r app.Ready) {
		for i := range 5 {
			converse(t, r.Services[0].Address, strings.Repeat("x\r\n", 10000)+string(rune('a'+i))+"\r\n")
		}
	})
	var out strings.Builder
	if _, err := rec.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if rec.Count() != 5 || len(got) > 32<<10 || !strings.Contains(got, ": e\n") || !strings.Contains(got, ": c\n") || strings.Contains(got, ": b\n") {
		t.Errorf("%d conversations, %d bytes:\n%.500s", rec.Count(), len(got), got)
	}
}

func TestTLS(t *testing.T) {
	var caFile string
	data := t.TempDir()
	for _, where := range []struct{ out, data, want string }{
		{}, {"", data, filepath.Join(data, "ca.pem")}, {"", data, filepath.Join(data, "ca.pem")}, // again beside what is kept
		{filepath.Join(data, "other.pem"), "", filepath.Join(data, "other.pem")},
	} {
		cfg := app.Config{Listen: at(t, "echo=tls:127.0.0.1:0"), CAOut: where.out, Data: where.data}
		serveOnce(t, cfg, func(r app.Ready) {
			caFile = r.CAFile
			if !strings.HasPrefix(r.Services[0].URL, "tls://127.0.0.1:") || r.Services[0].Network != "tcp" || len(r.Services) != 1 {
				t.Errorf("%+v", r.Services)
			}
			pem, err := os.ReadFile(caFile)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(pem)
			for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
				c, err := tls.Dial("tcp", r.Services[0].Address, &tls.Config{RootCAs: roots, ServerName: name})
				if err != nil {
					t.Fatalf("as %s: %v", name, err)
				}
				if got, err := simple.Echo(t.Context(), c, []byte("secret")); err != nil || string(got) != "secret" {
					t.Errorf("%q, %v", got, err)
				}
				c.Close()
			}
			if c, err := tls.Dial("tcp", r.Services[0].Address, &tls.Config{RootCAs: roots, ServerName: "example.org"}); err == nil {
				c.Close()
				t.Error("the certificate is good for anybody")
			}
		})
		if _, err := os.Stat(caFile); (err == nil) != (where.want != "") || where.want != "" && caFile != where.want {
			t.Errorf("%q afterwards, want %q: %v", caFile, where.want, err)
		}
	}
	serveOnce(t, app.Config{Listen: at(t, "echo=:0")}, func(r app.Ready) {
		if r.CAFile != "" {
			t.Errorf("an authority without TLS: %s", r.CAFile)
		}
	})
}

// A stream that is read while it is written is heard from two goroutines.
func TestEarsOfAStreamInBothDirections(t *testing.T) {
	var out buffer
	var rec app.Recorder
	cfg := app.Config{Listen: at(t, "chargen=tcp::0"), Ears: []app.Ear{app.Explain(&out), &rec}, Transcript: t.TempDir()}
	serveOnce(t, cfg, func(r app.Ready) {
		c, err := net.Dial("tcp", r.Services[0].Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 50 {
			if err := simple.Discard(t.Context(), c, []byte("nothing\r\n")); err != nil {
				t.Fatal(err)
			}
			if _, err := simple.Chargen(t.Context(), c, make([]byte, 10000)); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got := out.String(); !strings.Contains(got, "nothing") || !strings.Contains(got, "B more") {
		t.Errorf("it explained\n%.1000s", got)
	}
}
