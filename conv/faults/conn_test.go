package faults_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// under is a connection under rules, and its peer.
func under(t *testing.T, rules ...faults.Rule) (nc net.Conn, peer *transcript.End) {
	t.Helper()
	a, b := transcript.Pipe()
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return faults.Layer(rules...)(a), b
}

// tcp is a connection of the system, whose peer is under rules.
func tcp(t *testing.T, rules ...faults.Rule) (nc, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if peer, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if nc, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	nc = faults.Layer(rules...)(nc)
	t.Cleanup(func() {
		nc.Close()
		peer.Close()
	})
	peer.SetDeadline(time.Now().Add(10 * time.Second))
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return nc, peer
}

const text = "0123456789"

// TestEndsAtTheByte is every deed that ends something, at every byte of what
// is written: what arrives, what the peer sees, what the writer is told.
func TestEndsAtTheByte(t *testing.T) {
	for _, c := range []struct {
		deed   faults.Deed
		peer   error // what the peer reads after the bytes
		writer error
		reader error // what our side reads
	}{
		{faults.Close, io.EOF, net.ErrClosed, net.ErrClosed},
		{faults.Reset, syscall.ECONNRESET, syscall.ECONNRESET, syscall.ECONNRESET},
		{faults.Cut, io.EOF, syscall.EPIPE, io.EOF},
		{faults.HalfClose, io.EOF, syscall.EPIPE, nil},
		{faults.Truncate, io.EOF, nil, nil},
	} {
		for at := range int64(len(text)) {
			nc, peer := under(t, faults.Rule{Do: c.deed, After: at, Dir: faults.Out})
			io.WriteString(peer, "back")
			n, err := io.WriteString(nc, text)
			if c.writer == nil && (n != len(text) || err != nil) || c.writer != nil && (int64(n) != at || !errors.Is(err, c.writer)) {
				t.Fatalf("%s at %d: wrote %d, %v, want %v", c.deed, at, n, err, c.writer)
			}
			got, err := io.ReadAll(peer)
			if err == nil {
				err = io.EOF
			}
			if string(got) != text[:at] || !errors.Is(err, c.peer) {
				t.Fatalf("%s at %d: the peer got %q, %v, want %v", c.deed, at, got, err, c.peer)
			}
			if _, err = nc.Read(make([]byte, 10)); !errors.Is(err, c.reader) {
				t.Fatalf("%s at %d: we read %v, want %v", c.deed, at, err, c.reader)
			}
		}
	}
}

// TestEndsInput is the same for what is read.
func TestEndsInput(t *testing.T) {
	for deed, want := range map[faults.Deed]error{
		faults.Close: net.ErrClosed, faults.Reset: syscall.ECONNRESET, faults.Cut: io.EOF, faults.Truncate: io.EOF,
	} {
		for at := range int64(len(text)) {
			nc, peer := under(t, faults.Rule{Do: deed, After: at, Dir: faults.In})
			io.WriteString(peer, text)
			got, err := io.ReadAll(nc)
			if err == nil {
				err = io.EOF
			}
			if string(got) != text[:at] || !errors.Is(err, want) {
				t.Fatalf("%s at %d: got %q, %v, want %v", deed, at, got, err, want)
			}
		}
	}
}

// TestEchoAfter is the rule of the manual: an echo server that closes after
// five bytes sends five bytes, whatever comes.
func TestEchoAfter(t *testing.T) {
	for _, says := range []string{"hello", "hello world", "hel|lo wor|ld"} {
		nc, peer := tcp(t, faults.Rule{Do: faults.Close, After: 5})
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 100)
			for {
				n, err := nc.Read(buf)
				if err != nil {
					return
				}
				if _, err := nc.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
		for part := range strings.SplitSeq(says, "|") {
			if _, err := io.WriteString(peer, part); err != nil {
				break
			}
		}
		got, err := io.ReadAll(peer)
		if string(got) != "hello" || err != nil && !strings.Contains(says, "|") {
			t.Errorf("%q: got %q, %v", says, got, err)
		}
		<-done
	}
}

// TestResetIsAReset is for the system's TCP: the peer gets every byte before
// the RST, and the RST.
func TestResetIsAReset(t *testing.T) {
	const after = 1 << 20
	wrapped := func(nc net.Conn) net.Conn { return wrapper{nc} } // found through NetConn
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		nc = faults.Layer(faults.Rule{Do: faults.Reset, After: after, Dir: faults.Out})(wrapped(nc))
		defer nc.Close()
		_, err = nc.Write(make([]byte, 5<<20))
		done <- err
	}()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	peer.SetDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(peer)
	if len(got) != after || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if err := <-done; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the writer: %v", err)
	}
}

type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

// TestCloseIsNoReset is for unread input, which the system answers with a
// reset.
func TestCloseIsNoReset(t *testing.T) {
	nc, peer := tcp(t, faults.Rule{Do: faults.Close, After: 3, Dir: faults.Out})
	if _, err := io.WriteString(peer, "nobody reads this"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, 1)); err != nil { // it has arrived
		t.Fatal(err)
	}
	if n, _ := io.WriteString(nc, text); n != 3 {
		t.Fatalf("wrote %d", n)
	}
	if got, err := io.ReadAll(peer); err != nil || string(got) != text[:3] {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestSlice(t *testing.T) {
	nc, peer := under(t, faults.Rule{Do: faults.Slice, After: 2, Size: 3})
	io.WriteString(peer, text)
	var sizes []int
	buf := make([]byte, 100)
	for total := 0; total < len(text); {
		n, err := nc.Read(buf)
		if err != nil || string(buf[:n]) != text[total:total+n] {
			t.Fatal(n, err)
		}
		sizes = append(sizes, n)
		total += n
	}
	if want := []int{2, 3, 3, 2}; len(sizes) != len(want) || sizes[0] != 2 || sizes[1] != 3 || sizes[3] != 2 {
		t.Errorf("read pieces of %v, want %v", sizes, want)
	}
	if n, err := io.WriteString(nc, text); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
	if n, err := io.ReadFull(peer, buf[:len(text)]); err != nil || string(buf[:n]) != text {
		t.Fatal(n, err)
	}
}

func TestGarble(t *testing.T) {
	for _, dir := range []faults.Dir{faults.In, faults.Out} {
		nc, peer := under(t, faults.Rule{Do: faults.Garble, After: 4, Dir: dir, Seed: 3})
		from, to := net.Conn(peer), nc
		if dir == faults.Out {
			from, to = nc, peer
		}
		io.WriteString(from, text)
		got := make([]byte, len(text))
		if _, err := io.ReadFull(to, got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if bits := got[i] ^ text[i]; (bits != 0) != (i == 4) || bits&(bits-1) != 0 {
				t.Errorf("%v: byte %d is %q, was %q", dir, i, got[i], text[i])
			}
		}
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := under(t, faults.Rule{Do: faults.Delay, Delay: time.Second, Jitter: 300 * time.Millisecond, Seed: 1})
		began := time.Now()
		io.WriteString(nc, "x")
		late := time.Since(began)
		if late < 700*time.Millisecond || late > 1300*time.Millisecond || late == time.Second {
			t.Errorf("a write took %v", late)
		}
		io.WriteString(peer, "ab")
		nc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := nc.Read(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v before its time", n, err)
		}
		nc.SetReadDeadline(time.Time{})
		buf := make([]byte, 10)
		if n, err := nc.Read(buf); string(buf[:n]) != "ab" || err != nil { // nothing was lost
			t.Errorf("%q, %v", buf[:n], err)
		}
	})
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := under(t, faults.Rule{Do: faults.Throttle, Rate: 1000})
		began := time.Now()
		if _, err := nc.Write(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("5000 bytes at 1000 a second took %v", took)
		}
		peer.Write(make([]byte, 2000))
		began = time.Now()
		if _, err := io.ReadFull(nc, make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("2000 bytes at 1000 a second took %v", took)
		}
	})
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := under(t, faults.Rule{Do: faults.Stall, After: 4})
		io.WriteString(peer, text)
		nc.SetDeadline(time.Now().Add(time.Second))
		n, err := io.WriteString(nc, text)
		if n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d, %v", n, err)
		}
		if _, err := nc.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		nc.SetDeadline(time.Time{})
		done := make(chan error)
		go func() { _, err := nc.Read(make([]byte, 10)); done <- err }()
		synctest.Wait()
		nc.SetReadDeadline(time.Unix(1, 0)) // as an engine rouses a talk
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		nc.SetReadDeadline(time.Time{})
		go func() { _, err := nc.Read(make([]byte, 10)); done <- err }()
		synctest.Wait()
		nc.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestStallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := under(t, faults.Rule{Do: faults.Stall, After: 4, Delay: time.Minute})
		began := time.Now()
		if n, err := io.WriteString(nc, text); n != len(text) || err != nil || time.Since(began) != time.Minute {
			t.Errorf("wrote %d, %v, in %v", n, err, time.Since(began))
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(peer, got); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// TestStallWhileReading is a Read that waits below when the deed is done.
func TestStallWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := under(t, faults.Rule{Do: faults.Stall, After: 1})
		got := make(chan int, 1)
		go func() { n, _ := nc.Read(make([]byte, 10)); got <- n }()
		synctest.Wait()
		io.WriteString(nc, "x")
		io.WriteString(peer, "too late")
		synctest.Wait()
		select {
		case n := <-got:
			t.Errorf("read %d bytes of a stalled connection", n)
		default:
		}
		nc.Close()
		<-got
	})
}

func TestCutRousesAReader(t *testing.T) {
	for _, deed := range []faults.Deed{faults.Cut, faults.Close, faults.Reset} {
		synctest.Test(t, func(t *testing.T) {
			nc, _ := under(t, faults.Rule{Do: deed, After: 3, Dir: faults.Out})
			done := make(chan error)
			go func() { _, err := nc.Read(make([]byte, 10)); done <- err }()
			synctest.Wait()
			io.WriteString(nc, "abc")
			err := <-done
			want := map[faults.Deed]error{faults.Cut: io.EOF, faults.Close: net.ErrClosed, faults.Reset: syscall.ECONNRESET}[deed]
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", deed, err)
			}
		})
	}
}

// TestMix runs an echo client under trouble: the right answer or an error.
func TestMix(t *testing.T) {
	want := bytes.Repeat([]byte(text), 300)
	ends := 0
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			rules := faults.Mix(seed)
			nc, peer := under(t, rules...)
			go func() {
				io.Copy(peer, peer)
				peer.Close()
			}()
			nc.SetDeadline(time.Now().Add(time.Hour))
			_, writeErr := nc.Write(want)
			got := make([]byte, len(want))
			n, err := io.ReadFull(nc, got)
			if err != nil || writeErr != nil {
				ends++
			}
			if !bytes.Equal(got[:n], want[:n]) || writeErr == nil && err == nil && n != len(want) {
				t.Errorf("seed %d, %v: %d bytes, %v, %v", seed, rules, n, writeErr, err)
			}
			nc.Close()
			peer.Close()
			synctest.Wait()
		})
	}
	if ends == 0 || ends == 150 {
		t.Errorf("%d of 150 ended early", ends)
	}
}

func TestMixIsAgainTheSame(t *testing.T) {
	for seed := range uint64(20) {
		a, b := faults.Mix(seed), faults.Mix(seed)
		if len(a) != len(b) {
			t.Fatal(a, b)
		}
		for i := range a {
			a[i].Service = "x"
			if b[i].Service = "x"; a[i] != b[i] {
				t.Error(a[i], b[i])
			}
			if again, err := faults.Parse(a[i].String()); err != nil || again != a[i] {
				t.Errorf("%q is no rule: %v", a[i], err)
			}
		}
	}
}

// TestUnderAConn has a conv.Conn report what a deed did.
func TestUnderAConn(t *testing.T) {
	a, b := transcript.Pipe()
	defer b.Close()
	c := conv.New(a, conv.Options{Layers: []conv.Layer{faults.Layer(faults.Rule{Do: faults.Reset, After: 4, Dir: faults.In})}})
	defer c.Abort()
	io.WriteString(b, "a\r\nbc\r\n")
	if line, err := c.R.Line(); err != nil || string(line) != "a" {
		t.Fatal(line, err)
	}
	if _, err := c.R.Line(); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
}
