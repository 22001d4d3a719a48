package app_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/proto/telnet"
)

// terminal begins a conversation with the telnet service of cfg.
func terminal(t *testing.T, cfg app.Config, o telnet.Options) (context.Context, *telnet.Client) {
	t.Helper()
	cfg.Listen = at(t, "telnet=tcp:127.0.0.1:0")
	return atTerminal(t, run(t, cfg), o)
}

// atTerminal begins a conversation with the first service of r, a telnet.
func atTerminal(t *testing.T, r app.Ready, o telnet.Options) (context.Context, *telnet.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c, err := telnet.Dial(ctx, "tcp:"+r.Services[0].Address, telnet.ClientOptions{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return ctx, c
}

// answer waits for until, says line, and gives what was heard.
func answer(ctx context.Context, t *testing.T, c *telnet.Client, until, line string) string {
	t.Helper()
	got, err := c.ReadUntil(ctx, until)
	if err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if err := c.WriteText(line); err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestTelnetShell(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		t.Run(engine, func(t *testing.T) {
			cfg := app.Config{Engine: engine, Users: map[string]string{"ann": "secret"}}
			ctx, c := terminal(t, cfg, telnet.Options{Do: []telnet.Option{telnet.Echo}, Terminals: []string{"VT100"}, Window: true})
			c.SetSize(80, 255)
			answer(ctx, t, c, "login: ", "ann\n")
			answer(ctx, t, c, "Password: ", "secret\n")
			answer(ctx, t, c, "farend> ", "echo one  two\n")
			if got := answer(ctx, t, c, "farend> ", "who\n"); got != "one  two\r\nfarend> " {
				t.Errorf("echo says %q", got)
			}
			got := answer(ctx, t, c, "farend> ", "services\n")
			if !strings.HasPrefix(got, "* 1 ann from 127.0.0.1:") || !strings.Contains(got, "your terminal is VT100, its window 80 by 255\r\n") {
				t.Errorf("who says %q", got)
			}
			if got = answer(ctx, t, c, "farend> ", "transcript\n"); !strings.HasPrefix(got, "telnet ") {
				t.Errorf("services says %q", got)
			}
			got = answer(ctx, t, c, "farend> ", "bogus\n")
			if !strings.Contains(got, "***") || strings.Contains(got, "secret") || !strings.Contains(got, "IAC WILL NAWS\r\n") {
				t.Errorf("transcript says %q", got)
			}
			answer(ctx, t, c, "\"bogus\" is no command", "help\n")
			answer(ctx, t, c, "hangs up", "exit\n")
			if rest, err := c.ReadAll(ctx); err != nil || !strings.HasSuffix(string(rest), "Goodbye.\r\n") {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}

func TestTelnetExec(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no pseudo-terminals")
	}
	cfg := app.Config{Users: map[string]string{"ann": "secret"}, TelnetExec: `echo "$TERM"; stty size; read line; echo "[$line]"`}
	ctx, c := terminal(t, cfg, telnet.Options{Do: []telnet.Option{telnet.Echo, telnet.SGA}, Terminals: []string{"VT100"}, Window: true})
	c.SetSize(100, 30)
	answer(ctx, t, c, "login: ", "ann\n")
	answer(ctx, t, c, "Password: ", "secret\n")
	answer(ctx, t, c, "vt100\r\n30 100\r\n", "yes\n")
	if rest, err := c.ReadAll(ctx); err != nil || !strings.Contains(string(rest), "[yes]\r\n") {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestTelnetExecEnds has a program that goes on for ever end with its client,
// and with the server.
func TestTelnetExecEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no pseudo-terminals")
	}
	cfg := app.Config{Listen: at(t, "telnet=tcp:127.0.0.1:0"), TelnetExec: "trap '' HUP; echo begun; cat"}
	echoes := func(r app.Ready) (context.Context, *telnet.Client) {
		ctx, c := atTerminal(t, r, telnet.Options{})
		answer(ctx, t, c, "begun\r\n", "x\n")
		answer(ctx, t, c, "x\r\n", "")
		return ctx, c
	}
	serveOnce(t, cfg, func(r app.Ready) {
		_, c := echoes(r)
		c.Close()
	})
	var ctx context.Context
	var c *telnet.Client
	serveOnce(t, cfg, func(r app.Ready) { ctx, c = echoes(r) })
	if rest, err := c.ReadAll(ctx); ctx.Err() != nil {
		t.Errorf("the server has ended, and the conversation has not: %q, %v", rest, err)
	}
}

// TestTelnetExecBinary has bytes go to a program and back as they are, where
// the client says that they are bytes.
func TestTelnetExecBinary(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no pseudo-terminals")
	}
	binary := []telnet.Option{telnet.Binary}
	ctx, c := terminal(t, app.Config{TelnetExec: "stty raw -echo; echo ready; head -c 1 >/dev/null; echo go; cat"}, telnet.Options{Will: binary, Do: binary})
	c.Do(func(n *telnet.NVT) {
		if err := errors.Join(n.Ask(telnet.WILL, telnet.Binary), n.Ask(telnet.DO, telnet.Binary)); err != nil {
			t.Error(err)
		}
	})
	answer(ctx, t, c, "ready\n", "x")
	answer(ctx, t, c, "go\n", "") // the answers to both questions came before it
	data := []byte("\r\n\r\x00\n\r\r\n\xff\xf4")
	for b := range 256 {
		data = append(data, byte(b))
	}
	data = append(data, "the end"...)
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadUntil(ctx, "the end"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
}
