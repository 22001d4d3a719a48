//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
)

func TestSendFDs(t *testing.T) {
	ctx := t.Context()
	for _, typ := range []Type{SOCK_STREAM, SOCK_DGRAM} {
		a, b := connected(t, typ)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if n := must(a.SendFDs(ctx, []byte("take"), []int{int(w.Fd()), int(r.Fd())}))(t); n != 4 {
			t.Errorf("sent %d bytes", n)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		n, fds, err := b.RecvFDs(ctx, buf, 2)
		if err != nil || string(buf[:n]) != "take" || len(fds) != 2 {
			t.Fatalf("got %q, %v, %v", buf[:n], fds, err)
		}
		w2, r2 := os.NewFile(uintptr(fds[0]), "w"), os.NewFile(uintptr(fds[1]), "r")
		if _, err := w2.WriteString("through the passed pipe"); err != nil {
			t.Fatal(err)
		}
		if err := w2.Close(); err != nil {
			t.Fatal(err)
		}
		if got := must(io.ReadAll(r))(t); string(got) != "through the passed pipe" {
			t.Errorf("got %q", got)
		}
		closeAfter(t, r)
		closeAfter(t, r2)
	}
}

func TestRecvFDsSaysWhatItLost(t *testing.T) {
	ctx := t.Context()
	a, b := connected(t, SOCK_STREAM)
	before := openDescriptors(t)
	fd := a.Fileno()
	must(a.SendFDs(ctx, []byte("x"), []int{fd, fd, fd, fd, fd}))(t)
	_, fds, err := b.RecvFDs(ctx, make([]byte, 1), 2)
	wantErr(t, err, ErrTruncated)
	if len(fds) != 2 {
		t.Errorf("got %d descriptors, want 2", len(fds))
	}
	for _, fd := range fds {
		if err := closeFD(fd); err != nil {
			t.Error(err)
		}
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// openDescriptors counts this process's.
func openDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("descriptors cannot be counted without /proc: %v", err)
	}
	return len(entries)
}

func TestSendMsgGathersAndRecvMsgScatters(t *testing.T) {
	ctx := t.Context()
	a, b := connected(t, SOCK_DGRAM)
	n := must(a.SendMsg(ctx, [][]byte{[]byte("one "), nil, []byte("two "), []byte("three")}, nil, nil))(t)
	if n != len("one two three") {
		t.Errorf("sent %d", n)
	}
	bufs := [][]byte{make([]byte, 5), make([]byte, 3), make([]byte, 99)}
	m := must(b.RecvMsg(ctx, bufs, 0))(t)
	if got := bytes.Join(bufs, nil)[:m.N]; string(got) != "one two three" || m.Flags != 0 {
		t.Errorf("got %q, %+v", got, m)
	}
	s1, s2 := connected(t, SOCK_STREAM)
	if err := s1.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s2.RecvMsg(ctx, [][]byte{make([]byte, 1)}, 64)
	wantErr(t, err, io.EOF)
}

func TestControlRoundTrip(t *testing.T) {
	want := []Control{
		{Level: SOL_SOCKET, Type: 99, Data: []byte{}},
		{Level: SOL_IP, Type: 8, Data: []byte("abc")},
		Rights(3, 4, 5),
	}
	packed := must(appendControl(nil, want))(t)
	if room := CMSG_SPACE(0) + CMSG_SPACE(3) + CMSG_SPACE(12); len(packed) != room {
		t.Errorf("%d bytes, want %d", len(packed), room)
	}
	got := must(parseControl(packed))(t)
	if !slices.EqualFunc(got, want, sameControl) {
		t.Errorf("got %v, want %v", got, want)
	}
	if fds, ok := got[2].Rights(); !ok || !slices.Equal(fds, []int{3, 4, 5}) {
		t.Errorf("got %v", fds)
	}
	if _, ok := got[1].Rights(); ok {
		t.Error("another message passes for descriptors")
	}
}

func sameControl(a, b Control) bool {
	return a.Level == b.Level && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
}

func FuzzParseControl(f *testing.F) {
	packed, err := appendControl(nil, []Control{Rights(1, 2), {Level: 1, Type: 2, Data: []byte("x")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:len(packed)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseControl(b)
		if err != nil {
			return
		}
		again := must(appendControl(nil, all))(t)
		if got := must(parseControl(again))(t); !slices.EqualFunc(got, all, sameControl) {
			t.Errorf("%x: %v became %v", b, all, got)
		}
	})
}

func TestSendFile(t *testing.T) {
	ctx := t.Context()
	data := noise(3<<20, 7)
	f := closeAfter(t, must(os.Open(writeFile(t, "data", string(data))))(t))
	for _, c := range []struct{ offset, count, want int64 }{
		{0, 0, 3 << 20}, {1, 0, 3<<20 - 1}, {1000, 5000, 5000}, {3<<20 - 10, 5000, 10}, {4 << 20, 0, 0},
	} {
		client, server := tcpPair(t)
		result := make(chan error)
		go func() {
			n, err := client.SendFile(ctx, f, c.offset, c.count)
			if n != c.want {
				t.Errorf("%+v: sent %d", c, n)
			}
			if err == nil {
				err = client.Shutdown(SHUT_WR)
			}
			result <- err
		}()
		got, err := server.ReadAll(ctx)
		if sendErr := <-result; err != nil || sendErr != nil {
			t.Fatal(err, sendErr)
		}
		from := min(c.offset, int64(len(data)))
		if !bytes.Equal(got, data[from:from+c.want]) {
			t.Errorf("%+v: the bytes differ", c)
		}
		if at := must(f.Seek(0, io.SeekCurrent))(t); at != c.offset+c.want {
			t.Errorf("%+v: the file stands at %d", c, at)
		}
	}
}

func TestSendFileOfAPipe(t *testing.T) {
	client, server := tcpPair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, r)
	if _, err := w.WriteString("no offset here"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := must(client.SendFile(t.Context(), r, 0, 9))(t); n != 9 {
		t.Errorf("sent %d", n)
	}
	if got := must(server.Recv(t.Context(), 99))(t); string(got) != "no offset" {
		t.Errorf("got %q", got)
	}
	d, _ := connected(t, SOCK_DGRAM)
	if _, err := d.SendFile(t.Context(), r, 0, 0); err == nil {
		t.Error("a datagram socket sent a file")
	}
}

func TestPeerCred(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the system does not tell the peer's process")
	}
	a, _ := connected(t, SOCK_STREAM)
	c := must(a.PeerCred())(t)
	if c.PID != os.Getpid() || c.UID != os.Getuid() || c.GID != os.Getgid() {
		t.Errorf("got %+v", c)
	}
}
