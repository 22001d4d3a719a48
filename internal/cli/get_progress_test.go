package cli

import (
	"testing"
	"time"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// TestTheBarIsHonest asks for what stands beside the bar.
func TestTheBarIsHonest(t *testing.T) {
	m, now := &transfer.Meter{}, time.Unix(1e9, 0)
	v := &view{m: m, now: func() time.Time { return now }}
	m.Expected.Store(10 << 20)
	m.Bytes.Store(2 << 20)
	m.Here.Store(2 << 20) // from an earlier run: no merit of this one
	if got := v.before() + "|" + v.behind(); got != "2.0 MiB of 10.0 MiB  20%|0 B/s" {
		t.Error(got)
	}
	now = now.Add(2 * time.Second)
	m.Bytes.Add(2 << 20)
	if got := v.before() + "|" + v.behind(); got != "4.0 MiB of 10.0 MiB  40%|1.0 MiB/s 6s left" {
		t.Error(got)
	}
	m.Unsized.Store(3)
	m.Files.Store(9)
	m.Done.Store(4)
	m.Active.Store(2)
	if got := v.before() + "|" + v.behind(); got != "4.0 MiB of at least 10.0 MiB|1.0 MiB/s 4/9 files, 2 at once" {
		t.Error(got)
	}
	now = now.Add(time.Minute) // nothing has come for long
	if got := v.behind(); got != "34.0 KiB/s 4/9 files, 2 at once" && got != "0 B/s 4/9 files, 2 at once" {
		t.Error(got)
	}
}

func TestByteCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1 << 20: "1.0 MiB", 5 << 40: "5.0 TiB", 1 << 60: "1048576.0 TiB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
