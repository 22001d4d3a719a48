package server

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Who asks for a ring and cannot have one is told why, in a line.
func TestNoRing(t *testing.T) {
	for en, want := range map[syscall.Errno]string{
		unix.ENOSYS: "the kernel has none",
		unix.EPERM:  "kernel.io_uring_disabled",
		unix.EINVAL: "Linux 6.1 is needed",
		unix.ENOMEM: "cannot allocate memory",
	} {
		err := ringError(en)
		if !errors.Is(err, en) || !strings.HasPrefix(err.Error(), "io_uring: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// A ring that cannot be made is Serve's error, and nothing is left of it.
	e := &events{options: EventOptions{Loops: 2, Uring: UringAlways}, size: ringSize{asks: 1 << 31}}
	for range 2 {
		if loops, err := e.acquire(); err == nil || loops != nil || e.users != 0 {
			t.Errorf("%v, %v, %d users", loops, err, e.users)
		}
	}
}

// A ring gives back the memory of its buffers when little goes on, and never
// what somebody has not read yet.
func TestRingShrinks(t *testing.T) {
	if err := (EventOptions{Uring: UringAlways}).Check(); err != nil {
		t.Skip("no ring here: ", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := newRing(ringSize{asks: 2, answers: 4, bufs: 2, buf: 4096, out: 4096})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for _, c := range []struct {
		what            string
		recent, touched int
		ready           []cqe
		outUsed         int
		kept            bool
	}{
		{"much goes on", quiet, quiet, nil, 0, true},
		{"something waits to be read", 1, 1, make([]cqe, 1), 0, true},
		{"something waits to be sent", 1, 1, nil, 1, true},
		{"little goes on", quiet - 1, 9 * quiet, nil, 0, false},
	} {
		r.in[0], r.out[0] = 1, 1
		r.recent, r.touched, r.ready, r.outUsed = c.recent, c.touched, c.ready, c.outUsed
		r.shrink()
		if kept := r.in[0] == 1 && r.out[0] == 1; kept != c.kept || (r.touched > 0) != c.kept {
			t.Errorf("%s: kept %v, touched %d", c.what, kept, r.touched)
		}
	}
}

// A talk at rest costs its own size, on a ring as on epoll: Go's next larger
// size of storage is 416 bytes.
func TestTalkIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(evTalk{}); n > 384 && math.MaxUint == math.MaxUint64 {
		t.Errorf("%d bytes", n)
	}
}

// What comes is filled into one buffer after the other; on an older kernel, each
// message into a buffer of its own. Nothing is lost where one ends, and a buffer
// is filled again when all of it was looked at.
func TestRingFillsBuffers(t *testing.T) {
	if err := (EventOptions{Uring: UringAlways}).Check(); err != nil {
		t.Skip("no ring here: ", err)
	}
	for _, whole := range []bool{false, true} {
		t.Run(map[bool]string{false: "one after the other", true: "whole"}[whole], func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			r, err := newRing(ringSize{asks: 2, answers: 4, bufs: 2, buf: 64, out: 4096, whole: whole})
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			if !whole && r.whole {
				t.Skip("the kernel gives each message a buffer: Linux 6.12 is needed")
			}
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(pair[0])
			defer unix.Close(pair[1])
			touched := map[int]bool{} // where in r.in something came to lie
			for i := range 100 {
				say := fmt.Sprintf("%08d!", i)
				if _, err := unix.Write(pair[0], []byte(say)); err != nil {
					t.Fatal(err)
				}
				var got []byte
				for len(got) < len(say) {
					r.ask(opRecv, int32(pair[1]), userOf(askRecv, 1, int32(pair[1]))).flags = sqeBufferSelect
					for len(r.ready) == 0 {
						r.look()
					}
					c := r.ready[0]
					r.ready = r.ready[:0]
					if c.res <= 0 || c.flags&cqeBuffer == 0 {
						t.Fatalf("after %q: %+v", got, c)
					}
					b := r.take(c)
					touched[int(addressOf(b)-addressOf(r.in))] = true
					got = append(got, b...)
					r.done(c)
				}
				if string(got) != say {
					t.Fatalf("%q, want %q", got, say)
				}
			}
			if few := len(touched) == len(r.bufs); few != whole {
				t.Errorf("messages lay in %d places of %d buffers", len(touched), len(r.bufs))
			}
		})
	}
}
