package mailbox

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/farend-go/farend/store"
)

// corrupt fails unless err, if there is one, says that the bytes are damaged.
func corrupt(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("damaged bytes: %v", err)
	}
}

// Blocks of any bytes are read or refused, and what is read is written back as
// it reads, in one piece or entry by entry.
func FuzzBlock(f *testing.F) {
	f.Add(appendBlock([]entry{
		{uid: 1, modSeq: 2, flags: Seen, size: 4096, date: 1_700_000_000, zone: -210, saved: 1_700_000_001, ref: "12345678"},
		{uid: 7, modSeq: 9, keywords: 1 << 63, date: -5, zone: 60, ref: ""},
	}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseBlock(b, nil)
		if err != nil {
			corrupt(t, err)
			return
		}
		if !slices.IsSortedFunc(entries, func(a, b entry) int { return int(int64(a.uid) - int64(b.uid)) }) {
			return // such a block is never written
		}
		whole := appendBlock(entries)
		again, err := parseBlock(whole, nil)
		if err != nil || !slices.Equal(again, entries) {
			t.Fatalf("%v came back as %v, %v", entries, again, err)
		}
		grown := appendBlock(nil)
		for i := range entries {
			if grown, err = extendBlock(grown, &entries[i]); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(grown, whole) {
			t.Errorf("entry by entry it is %x, at once %x", grown, whole)
		}
	})
}

// Heads of any bytes are read or refused, and what is read is written back.
func FuzzHead(f *testing.F) {
	h := head{
		uidValidity: 1, uidNext: 9, modSeq: 40, messages: 3, unseen: 2, deleted: 1, size: 100, deletedSize: 10,
		keywords: []string{"$Work", "later"}, goneSince: 3, goneRows: 4, recent: []touch{{39, 1}, {40, 7}}, recentSince: 38,
	}
	f.Add(h.append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHead(b)
		if err != nil {
			corrupt(t, err)
			return
		}
		again, err := parseHead(h.append(nil))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%+v came back as %+v, %v", h, again, err)
		}
	})
}

// The smaller records of any bytes are read or refused.
func FuzzRows(f *testing.F) {
	f.Add((&accountHead{lastValidity: 1, lastBox: 2, size: 3, messages: 4, ownLimits: true, limits: Limits{5, 6}}).append(nil))
	f.Add(nameRow{name: "x", box: 3, subscribed: true, use: UseSent}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := parseAccountHead(b); err != nil {
			corrupt(t, err)
		} else if again, err := parseAccountHead(h.append(nil)); err != nil || again != h {
			t.Errorf("%+v came back as %+v, %v", h, again, err)
		}
		if r, err := parseNameRow("x", b); err != nil {
			corrupt(t, err)
		} else if again, err := parseNameRow("x", r.append(nil)); err != nil || again != r {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
		_, err := parseGone(b, nil)
		corrupt(t, err)
	})
}
