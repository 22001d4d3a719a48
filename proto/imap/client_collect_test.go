package imap_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/imap"
)

// hearing is a session with a server that can do something, and has said these
// lines already.
func hearing(ctx context.Context, caps string, lines ...string) (*imap.Client, error) {
	text := "* PREAUTH [CAPABILITY " + caps + "] hi\r\n" + strings.Join(lines, "\r\n") + "\r\n"
	return imap.NewClient(ctx, conv.New(&said{in: bytes.NewReader([]byte(text))}, conv.Options{}), imap.Options{})
}

// Numbers that shift while messages are fetched, and flags that are told before
// and after the answer, mix no two messages up.
func TestFetchAllAmongNews(t *testing.T) {
	c, err := hearing(t.Context(), "IMAP4rev1",
		"* 4 EXISTS", "A1 OK selected",
		"* 1 FETCH (UID 5 FLAGS ())", "* 2 FETCH (UID 6 FLAGS ())", "* 3 FETCH (UID 7 FLAGS ())",
		"* 3 FETCH (FLAGS (\\Draft))", "* 2 EXPUNGE", "* 2 FETCH (FLAGS (\\Seen))", "* 1 FETCH (UID 5 FLAGS (\\Deleted))",
		"* 3 FETCH (UID 8 FLAGS (\\Seen))", "* 3 FETCH (UID 8 FLAGS (\\Seen) RFC822.SIZE 9)", "A2 OK fetched")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Select(imap.Select{Name: "INBOX"}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items("FLAGS", "RFC822.SIZE")}).Wait(t.Context())
	var got []string
	for _, m := range all {
		got = append(got, fmt.Sprint(m.Seq, m.UID, m.Flags, m.Size))
	}
	want := []string{"1 5 [] 0", "2 6 [] 0", `3 7 [\Draft] 0`, `2 0 [\Seen] 0`, `1 5 [\Deleted] 0`, `3 8 [\Seen] 9`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// A server may answer in any order, and tell of flags before it is asked for the
// message.
func TestWatchOutOfOrder(t *testing.T) {
	dial := func(ctx context.Context) (*imap.Client, error) {
		return hearing(ctx, "IMAP4rev1", "* 3 EXISTS", "* OK [UIDVALIDITY 9] x", "* OK [UIDNEXT 7] x", "A1 OK selected",
			"* 3 FETCH (UID 6 FLAGS () RFC822.SIZE 60)", "* 1 FETCH (UID 4 FLAGS () RFC822.SIZE 40)", "* 2 FETCH (UID 5 FLAGS () RFC822.SIZE 50)",
			"* 4 EXISTS", "* 4 FETCH (UID 7 FLAGS (\\Seen))", "A2 OK fetched",
			"* 4 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 70)", "A3 OK fetched")
	}
	w := &imap.Watcher{From: imap.Mark{UIDValidity: 9, UID: 3}, Items: items("FLAGS", "RFC822.SIZE"), Dial: dial}
	var got []string
	for n, err := range w.Watch(t.Context(), "INBOX") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, fmt.Sprint(n.UID, " ", n.Size)); n.UID == 7 {
			break
		}
	}
	if want := []string{"4 40", "5 50", "6 60", "7 70"}; !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
}

// A mailbox may have no modification sequences although the server knows QRESYNC
// (RFC 7162 section 3.1.2.2): then what went is found by a look.
func TestWatchWithoutModSeq(t *testing.T) {
	calls := 0
	dial := func(ctx context.Context) (*imap.Client, error) {
		if calls++; calls > 1 {
			return nil, imap.ErrNonExistent
		}
		return hearing(ctx, "IMAP4rev1 ENABLE CONDSTORE QRESYNC", "* ENABLED QRESYNC", "A1 OK enabled",
			"* 2 EXISTS", "* OK [UIDVALIDITY 9] x", "* OK [UIDNEXT 3] x", "* OK [NOMODSEQ] x", "A2 OK selected",
			"* SEARCH 1 2", "A3 OK searched", "* 1 FETCH (UID 1 FLAGS ())", "* 2 FETCH (UID 2 FLAGS ())", "A4 OK fetched",
			"A5 OK nothing new", "* 1 FETCH (UID 1 FLAGS ())", "* 2 FETCH (UID 2 FLAGS ())", "A6 OK fetched",
			"* VANISHED 1", "A7 OK polled", "* SEARCH 2", "A8 OK searched", "A9 OK nothing new", "A10 OK fetched")
	}
	w := &imap.Watcher{From: imap.Mark{UIDValidity: 9, UID: 2}, Changes: true, Poll: 1, Backoff: 1, Dial: dial}
	for n, err := range w.Watch(t.Context(), "INBOX") {
		if err != nil || n.Gone.String() != "1" {
			t.Errorf("told of %+v, %v", n, err)
		}
		break
	}
}
