package diskstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/farend-go/farend/store"
)

// BenchmarkDeliver is messages of 4 KiB delivered by senders who each wait
// until theirs is durable, into a mailbox each: a blob, a key for it, and a
// counter. updates/s stands beside syncs/s, which is what the disk had to do.
// It wants FAREND_BENCH_DIR where the temporary directory is no real disk.
func BenchmarkDeliver(b *testing.B) {
	for _, senders := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(senders), func(b *testing.B) { deliver(b, senders) })
	}
}

func benchDir(b *testing.B) string {
	if dir := os.Getenv("FAREND_BENCH_DIR"); dir != "" {
		dir, err := os.MkdirTemp(dir, "diskstore")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return b.TempDir()
}

func deliver(b *testing.B, senders int) {
	e, err := Open(benchDir(b), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	body := make([]byte, 4096)
	before := e.Stats()
	var wg sync.WaitGroup
	var todo atomic.Int64
	b.ResetTimer()
	for i := range senders {
		wg.Go(func() {
			for n := 0; todo.Add(1) <= int64(b.N); n++ {
				if err := deliverOne(e, i, n, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	after, s := e.Stats(), b.Elapsed().Seconds()
	b.ReportMetric(float64(after.Updates-before.Updates)/s, "updates/s")
	b.ReportMetric(float64(after.Syncs-before.Syncs)/s, "syncs/s")
	b.ReportMetric(float64(after.Updates-before.Updates)/float64(after.Commits-before.Commits), "updates/commit")
}

func deliverOne(e *Engine, box, n int, body []byte) error {
	ctx := context.Background()
	w, err := e.Blobs().Create(ctx, int64(len(body)))
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.Write(body); err != nil {
		return err
	}
	ref, err := w.Finish()
	if err != nil {
		return err
	}
	return e.Update(ctx, func(w store.Writer) error {
		count := fmt.Appendf(nil, "count/%03d", box)
		return errors.Join(
			w.Keep(ref),
			w.Put(fmt.Appendf(nil, "box/%03d/%08d", box, n), []byte(ref)),
			w.Put(count, binary.BigEndian.AppendUint64(nil, uint64(n))),
		)
	})
}

// BenchmarkSync is what the disk can do: 4 KiB appended and synced.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(benchDir(b), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	body := make([]byte, 4096)
	began := time.Now()
	for b.Loop() {
		if _, err := f.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := fdatasync(f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "syncs/s")
}
