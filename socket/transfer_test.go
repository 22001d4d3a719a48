//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// noise is n bytes that compress badly, the same for the same seed.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// echoOnce answers one message.
func echoOnce(t *testing.T, s *Sock) error {
	p, from, err := s.RecvFrom(t.Context(), 1024)
	if err != nil {
		return err
	}
	if from == nil {
		_, err = s.SendAll(t.Context(), p)
		return err
	}
	_, err = s.SendTo(t.Context(), p, from)
	return err
}

func TestTutorial02_BothEndsOfEveryTransport(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		typ            Type
		server, client Address // where each binds
	}{
		"tcp":           {SOCK_STREAM, Pair("127.0.0.1", 0), nil},
		"udp":           {SOCK_DGRAM, Pair("127.0.0.1", 0), nil},
		"unix stream":   {SOCK_STREAM, Path(filepath.Join(dir, "s")), nil},
		"unix datagram": {SOCK_DGRAM, Path(filepath.Join(dir, "d")), Path(filepath.Join(dir, "e"))},
	} {
		t.Run(name, func(t *testing.T) {
			server := closeAfter(t, must(CreateServer(ctx, c.server, ServerConfig{Type: c.typ}))(t))
			at := must(server.Getsockname())(t)
			client := closeAfter(t, must(Socket(at.Family(), c.typ, 0))(t))
			if c.client != nil {
				if err := client.Bind(ctx, c.client); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Connect(ctx, at); err != nil {
				t.Fatal(err)
			}
			if c.typ == SOCK_STREAM {
				conn, _, err := server.Accept(ctx)
				server = closeAfter(t, must(conn, err)(t))
			}
			must(client.Send(ctx, []byte("hello")))(t)
			if err := echoOnce(t, server); err != nil {
				t.Fatal(err)
			}
			if got := must(client.Recv(ctx, 1024))(t); string(got) != "hello" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTutorial04_FullDuplexAndHalfClose(t *testing.T) {
	const size = 64 << 20
	client, server := tcpPair(t)
	want := [2][]byte{noise(size, 1), noise(size, 2)}
	results := make(chan error)
	pump := func(s *Sock, send, receive []byte) {
		go func() {
			_, err := s.SendAll(t.Context(), send)
			results <- errors.Join(err, s.Shutdown(SHUT_WR))
		}()
		go func() {
			got, err := s.ReadAll(t.Context())
			if !bytes.Equal(got, receive) {
				err = errors.Join(err, errors.New("the bytes differ"))
			}
			results <- err
		}()
	}
	pump(client, want[0], want[1])
	pump(server, want[1], want[0])
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestTutorial04_ShutdownOfOneDirectionKeepsTheOther(t *testing.T) {
	ctx := t.Context()
	client, server := tcpPair(t)
	if err := client.Shutdown(SHUT_WR); err != nil {
		t.Fatal(err)
	}
	_, err := client.Send(ctx, []byte("x"))
	wantErr(t, err, syscall.EPIPE)
	_, err = server.Recv(ctx, 1)
	wantErr(t, err, io.EOF)
	must(server.SendAll(ctx, []byte("late")))(t)
	if got := must(client.Recv(ctx, 9))(t); string(got) != "late" {
		t.Errorf("got %q", got)
	}
}

func TestTutorial05_SocketPair(t *testing.T) {
	for _, typ := range []Type{SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET} {
		a, b, err := SocketPair(AF_UNIX, typ, 0)
		if errors.Is(err, syscall.EPROTONOSUPPORT) {
			t.Logf("no %v here", typ)
			continue
		}
		closeAfter(t, must(a, err)(t))
		closeAfter(t, b)
		exchange(t, a, b)
		exchange(t, b, a)
	}
}

func TestTutorial29_RecvReturnsWhatThereIs(t *testing.T) {
	ctx := t.Context()
	client, server := tcpPair(t)
	must(server.SendAll(ctx, []byte("1")))(t)
	if got := must(client.Recv(ctx, 1024))(t); len(got) != 1 {
		t.Errorf("got %d bytes, want 1", len(got))
	}
	must(server.SendAll(ctx, noise(5000, 3)))(t)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1024, 1024, 1024, 1024, 904} {
		if got := must(client.Recv(ctx, 1024, MSG_WAITALL))(t); len(got) != want {
			t.Errorf("got %d bytes, want %d", len(got), want)
		}
	}
	for range 2 {
		got, err := client.Recv(ctx, 1024)
		wantErr(t, err, io.EOF)
		if len(got) != 0 {
			t.Errorf("%d bytes after the end", len(got))
		}
	}
}

func TestTutorial30_SendMayBePartial(t *testing.T) {
	ctx := t.Context()
	client, _ := tcpPair(t)
	if err := SO_SNDBUF.Set(client, 4096); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 64<<20)
	if n := must(client.Send(ctx, big, MSG_DONTWAIT))(t); n <= 0 || n >= len(big) {
		t.Errorf("sent %d of %d", n, len(big))
	}
	fill(t, client)
	n, err := client.Send(ctx, big, MSG_DONTWAIT)
	if n != 0 || !isAgain(err) {
		t.Errorf("a full socket took %d bytes: %v", n, err)
	}
}

func TestTutorial31_SendAllSendsAll(t *testing.T) {
	client, server := tcpPair(t)
	data := noise(100<<20, 4)
	result := make(chan error)
	go func() {
		n, err := client.SendAll(t.Context(), data)
		if n != len(data) {
			err = errors.Join(err, errors.New("not all was sent"))
		}
		result <- errors.Join(err, client.Shutdown(SHUT_WR))
	}()
	hash := sha256.New()
	buf := make([]byte, 16<<10) // a slow reader
	for {
		n, err := server.RecvInto(t.Context(), buf)
		hash.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
	if want := sha256.Sum256(data); !bytes.Equal(hash.Sum(nil), want[:]) {
		t.Error("what came is not what was sent")
	}
}

func TestTutorial32_CutDatagramSaysSo(t *testing.T) {
	ctx := t.Context()
	server := closeAfter(t, must(CreateServer(ctx, Pair("127.0.0.1", 0), ServerConfig{Type: SOCK_DGRAM}))(t))
	at := must(server.Getsockname())(t)
	client := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	data := noise(2000, 5)
	send := func() { must(client.SendTo(ctx, data, at))(t) }

	send()
	got, from, err := server.RecvFrom(ctx, 1024)
	wantErr(t, err, ErrTruncated)
	if !bytes.Equal(got, data[:1024]) {
		t.Errorf("got %d bytes, want the first 1024", len(got))
	}
	if want := must(client.Getsockname())(t); from.(InetAddr).Port() != want.(InetAddr).Port() {
		t.Errorf("it came from %v, not from %v", from, want)
	}
	send()
	m := must(server.RecvMsg(ctx, [][]byte{make([]byte, 1000), make([]byte, 24)}, 0))(t)
	if m.N != 1024 || m.Flags&MSG_TRUNC == 0 || m.From != from {
		t.Errorf("got %+v", m)
	}
	if runtime.GOOS == "linux" {
		send()
		if n := must(server.RecvInto(ctx, make([]byte, 10), MSG_TRUNC, MSG_PEEK))(t); n != len(data) {
			t.Errorf("the true length is %d, want %d", n, len(data))
		}
		must(server.Recv(ctx, 2000))(t)
	}
	must(client.SendTo(ctx, nil, at))(t)
	empty, err := server.Recv(ctx, 10)
	if len(empty) != 0 || err != nil {
		t.Errorf("an empty datagram is %q, %v", empty, err)
	}
}

func TestTutorial33_SendToBindsImplicitly(t *testing.T) {
	ctx := t.Context()
	server := closeAfter(t, must(CreateServer(ctx, Pair("127.0.0.1", 0), ServerConfig{Type: SOCK_DGRAM}))(t))
	client := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	if own := must(client.Getsockname())(t).(InetAddr); own.Port() != 0 {
		t.Errorf("bound to %v before it sent", own)
	}
	must(client.SendTo(ctx, []byte("ping"), must(server.Getsockname())(t)))(t)
	if own := must(client.Getsockname())(t).(InetAddr); own.Port() == 0 {
		t.Error("still without a port")
	}
	if err := echoOnce(t, server); err != nil {
		t.Fatal(err)
	}
	got, from, err := client.RecvFrom(ctx, 99)
	if err != nil || string(got) != "ping" || from != must(server.Getsockname())(t) {
		t.Errorf("got %q from %v: %v", got, from, err)
	}
}

func TestTutorial40_ReadAllReadsBothPieces(t *testing.T) {
	ctx := t.Context()
	client, server := tcpPair(t)
	must(server.SendAll(ctx, []byte("Thank you ")))(t)
	first := must(client.Recv(ctx, 1024))(t)
	result := make(chan error)
	go func() {
		_, err := server.SendAll(ctx, []byte("for connecting"))
		result <- errors.Join(err, server.Close())
	}()
	rest, err := client.ReadAll(ctx)
	if sendErr := <-result; err != nil || sendErr != nil {
		t.Fatal(err, sendErr)
	}
	if string(first) != "Thank you " || string(rest) != "for connecting" {
		t.Errorf("got %q and %q", first, rest)
	}
}

func TestPeekAndWaitAll(t *testing.T) {
	ctx := t.Context()
	a, b := tcpPair(t)
	must(a.SendAll(ctx, []byte("abc")))(t)
	for range 2 {
		if got := must(b.Recv(ctx, 9, MSG_PEEK))(t); string(got) != "abc" {
			t.Errorf("peeked %q", got)
		}
	}
	result := make(chan error)
	go func() {
		got, err := b.Recv(ctx, 6, MSG_PEEK|MSG_WAITALL)
		if string(got) != "abcdef" {
			err = errors.Join(err, errors.New("peeked "+string(got)))
		}
		result <- err
	}()
	parked(t, 1)
	must(a.SendAll(ctx, []byte("def")))(t)
	if err := <-result; err != nil {
		t.Error(err)
	}
	must(a.SendAll(ctx, []byte("gh")))(t)
	if err := a.Shutdown(SHUT_WR); err != nil {
		t.Fatal(err)
	}
	// The end of the stream ends the wait, with what came.
	for _, flags := range []Flag{MSG_WAITALL | MSG_PEEK, MSG_WAITALL} {
		if got := must(b.Recv(ctx, 100, flags))(t); string(got) != "abcdefgh" {
			t.Errorf("got %q", got)
		}
	}
	_, err := b.Recv(ctx, 100, MSG_WAITALL)
	wantErr(t, err, io.EOF)
	if n, err := b.RecvInto(ctx, nil); n != 0 || err != nil && err != io.EOF {
		t.Errorf("into nothing: %d, %v", n, err)
	}
}

func TestOutOfBand(t *testing.T) {
	ctx := t.Context()
	a, b := tcpPair(t)
	must(a.SendAll(ctx, []byte("in")))(t)
	must(a.Send(ctx, []byte("!"), MSG_OOB))(t)
	must(a.SendAll(ctx, []byte("band")))(t)
	if err := a.Shutdown(SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if got := must(b.Recv(ctx, 9))(t); string(got) != "in" {
		t.Errorf("got %q, want what lies before the mark", got)
	}
	if got := must(b.Recv(ctx, 9, MSG_OOB))(t); string(got) != "!" {
		t.Errorf("got %q out of band", got)
	}
	if got := must(b.ReadAll(ctx))(t); string(got) != "band" {
		t.Errorf("got %q behind the mark", got)
	}
}
