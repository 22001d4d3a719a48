package mail

import (
	"strconv"
	"testing"
)

// What sessions were told is known of mailboxes that there are, not of all that
// ever were.
func TestToldIsBounded(t *testing.T) {
	var told told
	for n := range maxTold + 10 {
		if last := told.claim(strconv.Itoa(n), 5, false); last != 0 {
			t.Fatalf("%d: told of %d before", n, last)
		}
		if last := told.claim(strconv.Itoa(n), 9, true); last != 5 {
			t.Fatalf("%d: told of %d, want 5", n, last)
		}
	}
	if len(told.last) > maxTold {
		t.Errorf("%d mailboxes are known", len(told.last))
	}
}
