package diskstore

import (
	"errors"
	"testing"

	"github.com/farend-go/farend/store"
)

// Rows of any bytes are read or refused, and what is read is written back.
func FuzzRow(f *testing.F) {
	f.Add(blobRow{2, place{3, 4096, 5000, 0xdeadbeef}}.append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := parseRow(b)
		if err != nil {
			if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%x: %v", b, err)
			}
			return
		}
		if again, err := parseRow(row.append(nil)); err != nil || again != row {
			t.Errorf("%+v came back as %+v, %v", row, again, err)
		}
	})
}
