package conv_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/deflate"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/wire"
)

// shaken is a client and a server that have stepped up to TLS.
func shaken(t *testing.T, tap conv.Tap) (client, server *conv.Conn) {
	t.Helper()
	a, b := transcript.Pipe()
	client, server = conv.New(a, conv.Options{Tap: tap}), conv.New(b, conv.Options{})
	t.Cleanup(func() {
		client.Abort()
		server.Abort()
	})
	done := make(chan error, 1)
	go func() { done <- server.Upgrade(t.Context(), conv.ServerTLS(t.Context(), testcert.Server(t))) }()
	if err := client.Upgrade(t.Context(), conv.ClientTLS(t.Context(), testcert.Client(t))); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestUpgradeToTLS(t *testing.T) {
	e := &ear{}
	client, server := shaken(t, e)
	if state, ok := client.TLS(); !ok || state.Version < tls.VersionTLS12 || !client.Upgraded() {
		t.Fatalf("%+v, %v", state, ok)
	}
	answer(t, client, "hello")
	client.W.Flush()
	line(t, server, "hello")
	answer(t, server, "HELLO")
	server.W.Flush()
	line(t, client, "HELLO")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.R.Line(); err != io.EOF { // close_notify, in good order
		t.Fatal(err)
	}
	e.want(t, "upgraded", ">hello\r\n", "<HELLO\r\n", "ended")
}

// TestUpgradeTwice has compression over TLS: there still is TLS, and it ends in
// good order.
func TestUpgradeTwice(t *testing.T) {
	client, server := shaken(t, nil)
	for _, c := range []*conv.Conn{client, server} {
		if err := c.Upgrade(t.Context(), func(nc net.Conn) (net.Conn, error) { return deflate.New(nc), nil }); err != nil {
			t.Fatal(err)
		}
		if state, ok := c.TLS(); !ok || !state.HandshakeComplete {
			t.Errorf("%+v, %v", state, ok)
		}
	}
	answer(t, server, "bye")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	line(t, client, "bye")
	if _, err := client.R.Line(); err != io.EOF {
		t.Fatal(err)
	}
}

func TestUpgradeHalfClose(t *testing.T) {
	client, server := shaken(t, nil)
	answer(t, client, "last")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	line(t, server, "last")
	if _, err := server.R.Line(); err != io.EOF {
		t.Fatal(err)
	}
	answer(t, server, "answered")
	server.W.Flush()
	line(t, client, "answered")
}

func TestUpgradeFlushesFirst(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	answer(t, c, "220 go")
	seen := ""
	err := c.Upgrade(t.Context(), func(nc net.Conn) (net.Conn, error) {
		buf := make([]byte, 100)
		n, err := peer.Read(buf)
		seen = string(buf[:n])
		return nc, err
	})
	if err != nil || seen != "220 go\r\n" {
		t.Fatalf("%q, %v", seen, err)
	}
}

func TestUpgradeRefusesEarlyBytes(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	say(t, peer, "STARTTLS\r\nMAIL FROM:<injected>\r\n")
	line(t, c, "STARTTLS")
	err := c.Upgrade(t.Context(), func(nc net.Conn) (net.Conn, error) {
		t.Error("shook hands")
		return nc, nil
	})
	if !errors.Is(err, conv.ErrEarly) {
		t.Fatal(err)
	}
	if err := c.Within(t.Context(), func() error { return nil }); !errors.Is(err, conv.ErrBroken) {
		t.Fatalf("afterwards: %v", err)
	}
}

func TestUpgradeFails(t *testing.T) {
	c, _ := pair(t, conv.Options{})
	mine := errors.New("mine")
	if err := c.Upgrade(t.Context(), func(net.Conn) (net.Conn, error) { return nil, mine }); !errors.Is(err, mine) {
		t.Fatal(err)
	}
	if c.Upgraded() {
		t.Fatal("upgraded all the same")
	}
	if err := c.Within(t.Context(), func() error { return nil }); !errors.Is(err, conv.ErrBroken) {
		t.Fatalf("afterwards: %v", err)
	}
}

func TestUpgradeWaitsForNobodyInHere(t *testing.T) {
	c, _ := pair(t, conv.Options{})
	c.Here = true
	if err := c.Upgrade(t.Context(), nil); err != wire.ErrWait {
		t.Fatal(err)
	}
}

func TestUpgradeCancelled(t *testing.T) {
	cfg := testcert.Client(t)
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t, conv.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait() // it waits for the server's hello
			cancel()
		}()
		if err := c.Upgrade(ctx, conv.ClientTLS(ctx, cfg)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

func TestWithinOverTLS(t *testing.T) {
	client, server := shaken(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	reading := make(chan struct{})
	go func() {
		<-reading
		cancel()
	}()
	err := client.Within(ctx, func() error {
		close(reading)
		_, err := client.R.Line()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := client.Within(t.Context(), func() error { return nil }); !errors.Is(err, conv.ErrBroken) {
		t.Fatal(err)
	}
	server.Abort()
}
