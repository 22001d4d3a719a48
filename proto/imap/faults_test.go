package imap_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// TestUnderFaults says much over connections that misbehave, by seeds. The
// server ends each of them; what it says is understood as far as it comes; a
// message is whole or not there, and is there if its APPEND was answered.
func TestUnderFaults(t *testing.T) {
	text := strings.Repeat("0123456789abcde\r\n", 300)
	said := fmt.Sprintf("a LOGIN mrc secret\r\nb SELECT INBOX\r\nc FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\nd APPEND INBOX {%d+}\r\n%s\r\n"+
		"e UID FETCH 4 BODY[]\r\nf IDLE\r\nDONE\r\ng LOGOUT\r\n", len(text), text)
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b := filled()
			srv := &server.Server{Handler: handler(b), Layers: []conv.Layer{faults.Layer(faults.Mix(seed)...)}}
			srv.Limits = server.Limits{Handshake: time.Second, Turn: time.Second, Idle: time.Second, Drain: time.Second}
			got := flood(t, servertest.Serve(t, srv), said)
			acc := b.account("mrc")
			acc.mu.Lock()
			defer acc.mu.Unlock()
			msgs := acc.boxes["INBOX"].msgs
			if len(msgs) > 4 || len(msgs) == 4 && string(msgs[3].text) != text {
				t.Errorf("%d messages, or one that is not whole", len(msgs))
			}
			if strings.Contains(got, "\r\nd OK") && len(msgs) != 4 {
				t.Error("an acknowledged message is not there")
			}
		})
	}
}

// flood says all at once and gives what comes back.
func flood(t *testing.T, addr, said string) string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = nc.Write([]byte(said)) // fails where the server has hung up
	}()
	var all bytes.Buffer
	var r wire.Reader
	r.Init(wire.Over(nc, &r), 1<<16)
	for {
		line, err := readResponse(&r)
		if err != nil {
			break
		}
		all.WriteString("\r\n")
		all.Write(line)
		resp, err := imap.ParseResponse(line)
		if err == nil {
			err = understand(resp, false)
		}
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	_ = nc.Close()
	<-wrote
	return all.String()
}

// huge is a mailbox of so many messages that nobody may look at each.
type huge struct {
	*toyBox
	looked int
}

const hugeCount = 100_000

func (h *huge) State(ctx context.Context) (imap.State, error) {
	st, err := h.toyBox.State(ctx)
	st.UIDs, st.UIDNext = imap.Set{{First: 1, Last: hugeCount}}, hugeCount+1
	return st, err
}

func (h *huge) Messages(_ context.Context, uids imap.Set) iter.Seq2[imap.Info, error] {
	return func(yield func(imap.Info, error) bool) {
		for uid := range uids.All() {
			if h.looked++; !yield(imap.Info{UID: uid, ModSeq: 1}, nil) {
				return
			}
		}
	}
}

type hugeAccount struct {
	*toyAccount
	box *huge
}

func (a hugeAccount) Open(context.Context, string, bool) (imap.Mailbox, error) { return a.box, nil }

// TestHugeMailbox opens one, and asks for little of it.
func TestHugeMailbox(t *testing.T) {
	b := newToy()
	acc := b.account("mrc")
	box := &huge{toyBox: acc.boxes["INBOX"]}
	k := loggedIn(t, servertest.Serve(t, &server.Server{Handler: handler(fixed{hugeAccount{acc, box}})}), "mrc")
	if lines := k.ask("SELECT INBOX", "OK"); lines[0] != "* 100000 EXISTS" || len(lines) > 12 {
		t.Errorf("SELECT told %q", lines)
	}
	if box.looked > 0 {
		t.Errorf("SELECT looked at %d messages", box.looked)
	}
	if lines := k.ask("FETCH 99999:* UID", "OK"); len(lines) != 3 || lines[1] != "* 100000 FETCH (UID 100000)" || box.looked != 2 {
		t.Errorf("FETCH told %q, having looked at %d", lines, box.looked)
	}
	if lines := k.ask("UID SEARCH RETURN (ALL) 5:9", "OK"); lines[0] != `* ESEARCH (TAG "t4") UID ALL 5:9` || box.looked != 7 {
		t.Errorf("SEARCH told %q, having looked at %d", lines, box.looked)
	}
}
