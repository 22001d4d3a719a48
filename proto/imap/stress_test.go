package imap_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// watcher is a client that believes every word: it keeps what it is told of a
// mailbox, and finds contradictions.
type watcher struct {
	nc   net.Conn
	r    wire.Reader
	rand *rand.Rand
	tag  int
	uids []uint32 // by sequence number; 0: not told yet
	vets bool     // VANISHED, not EXPUNGE, is told
}

func (w *watcher) connect(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	w.nc = nc
	w.r.Init(wire.Over(nc, &w.r), 1<<16)
	if _, err := readResponse(&w.r); err != nil {
		return err
	}
	commands := []string{"LOGIN mrc secret", "SELECT INBOX"}
	if w.vets {
		commands = slices.Insert(commands, 1, "ENABLE QRESYNC")
	}
	for _, c := range commands {
		if err := w.do(c); err != nil {
			return err
		}
	}
	return nil
}

// do says a command and takes in the answers.
func (w *watcher) do(command string) error {
	w.tag++
	tag := fmt.Sprintf("w%d", w.tag)
	numbers := !strings.HasPrefix(command, "UID") && (strings.HasPrefix(command, "FETCH") || strings.HasPrefix(command, "STORE") || strings.HasPrefix(command, "SEARCH"))
	if _, err := fmt.Fprintf(w.nc, "%s %s\r\n", tag, command); err != nil {
		return err
	}
	for {
		line, err := readResponse(&w.r)
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		resp, err := imap.ParseResponse(line)
		if err == nil {
			err = understand(resp, false)
		}
		if err == nil && resp.Tag == "*" {
			err = w.hear(resp, numbers)
		}
		if err != nil {
			return fmt.Errorf("%s: %q: %w", command, line, err)
		}
		if resp.Tag == tag {
			if resp.Name == "BAD" {
				return fmt.Errorf("%s: %s", command, line)
			}
			return nil
		}
	}
}

// hear believes a response; numbers: none of them may change now.
func (w *watcher) hear(r imap.Response, numbers bool) error {
	switch r.Name {
	case "EXISTS":
		if int(r.Number) < len(w.uids) {
			return fmt.Errorf("there were %d", len(w.uids))
		}
		w.uids = append(w.uids, make([]uint32, int(r.Number)-len(w.uids))...)
	case "EXPUNGE":
		if numbers || w.vets || r.Number == 0 || int(r.Number) > len(w.uids) {
			return fmt.Errorf("not now, or not of %d", len(w.uids))
		}
		w.uids = slices.Delete(w.uids, int(r.Number)-1, int(r.Number))
	case "VANISHED":
		v, err := imap.ParseVanished(r.Rest)
		if err != nil || numbers || !w.vets {
			return fmt.Errorf("not now: %w", err)
		}
		n := len(w.uids)
		w.uids = slices.DeleteFunc(w.uids, v.UIDs.Contains)
		for unknown := v.UIDs.Count() - (n - len(w.uids)); unknown > 0; unknown-- { // gone before their UIDs were told
			i := slices.Index(w.uids, 0)
			if i < 0 {
				return fmt.Errorf("%d of %v were not there", unknown, v.UIDs)
			}
			w.uids = slices.Delete(w.uids, i, i+1)
		}
	case "FETCH":
		f, err := imap.ParseFetched(r.Rest)
		if err != nil || r.Number == 0 || int(r.Number) > len(w.uids) {
			return fmt.Errorf("there are %d: %w", len(w.uids), err)
		}
		if !f.Has(imap.ItemUID) {
			return nil
		}
		known := &w.uids[r.Number-1]
		if *known != 0 && *known != f.UID {
			return fmt.Errorf("it was UID %d", *known)
		}
		*known = f.UID
	}
	return nil
}

// random is what a user might do next. The server may refuse it, but never as
// nonsense.
func (w *watcher) random() string {
	n := len(w.uids)
	if n == 0 {
		return "APPEND INBOX {8+}\r\nA: b\r\n\r\n"
	}
	set := fmt.Sprintf("%d:%d", 1+w.rand.IntN(n), 1+w.rand.IntN(n))
	uids := fmt.Sprintf("%d:%d", 1+w.rand.IntN(40), 1+w.rand.IntN(200))
	switch w.rand.IntN(12) {
	case 0:
		return fmt.Sprintf("STORE %s +FLAGS (\\Deleted)", set)
	case 1:
		return "UID EXPUNGE " + uids
	case 2, 3:
		return "APPEND INBOX {8+}\r\nA: b\r\n\r\n"
	case 4:
		return fmt.Sprintf("UID STORE %s FLAGS.SILENT ($k%d)", uids, w.rand.IntN(3))
	case 5:
		return fmt.Sprintf("UID MOVE %d Archive", 1+w.rand.IntN(200))
	case 6:
		return fmt.Sprintf("COPY %s INBOX", set[:strings.IndexByte(set, ':')])
	case 7:
		return "EXPUNGE"
	case 8:
		return "SEARCH " + set + " NOT DELETED"
	case 9:
		return "NOOP"
	case 10:
		return "UID FETCH " + uids + " (FLAGS BODY[])"
	}
	return "FETCH " + set + " (UID FLAGS)"
}

// TestManyAtOnce has clients do random things to one mailbox. None may be told
// anything that contradicts what it was told before, and in the end all know
// the truth.
func TestManyAtOnce(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			b := filled()
			addr := servertest.Serve(t, &server.Server{Handler: handler(b), Engine: e()})
			all := make([]*watcher, 6)
			var wg sync.WaitGroup
			for i := range all {
				w := &watcher{rand: rand.New(rand.NewPCG(7, uint64(i))), vets: i%2 == 0}
				all[i] = w
				wg.Go(func() {
					err := w.connect(addr)
					for n := 0; n < 120 && err == nil; n++ {
						err = w.do(w.random())
						if err == nil && w.vets && slices.Contains(w.uids, 0) {
							err = w.do("UID FETCH 1:* (UID)")
						}
					}
					if err != nil {
						t.Errorf("client %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			for i, w := range all {
				if t.Failed() {
					return
				}
				if err := w.truth(b); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
				w.nc.Close()
			}
		})
	}
}

// truth compares what the client knows with what there is.
func (w *watcher) truth(b *toy) error {
	for _, c := range []string{"NOOP", "UID FETCH 1:* (UID)"} {
		if err := w.do(c); err != nil {
			return err
		}
	}
	st, err := b.account("mrc").boxes["INBOX"].State(context.Background())
	if err != nil {
		return err
	}
	if want := slices.Collect(st.UIDs.All()); !slices.Equal(w.uids, want) {
		return fmt.Errorf("knows %v; there are %v", w.uids, want)
	}
	return nil
}
