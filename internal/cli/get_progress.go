package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// progressAfter is how long a command runs before it shows a bar.
const progressAfter = 500 * time.Millisecond

// progress shows a bar over everything while a person looks on: on a terminal,
// unless the data itself goes there. The function that it returns takes it away.
func (t *transferCommand) progress(toStdout bool) func() {
	if t.quiet || t.json || t.verbose > 0 || !isTerminal(t.err) || toStdout && isTerminal(t.out) {
		return func() {}
	}
	late := make(chan struct{})
	timer := time.AfterFunc(progressAfter, func() { close(late) })
	p := mpb.New(mpb.WithOutput(t.err), mpb.WithRefreshRate(200*time.Millisecond), mpb.WithRenderDelay(late), mpb.WithWidth(20))
	view := &view{m: t.meter, now: time.Now}
	bar := p.New(0, mpb.BarStyle(),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return view.before() })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return view.behind() })))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				bar.SetTotal(max(1, t.meter.Expected.Load()), false)
				bar.SetCurrent(t.meter.Bytes.Load())
			case <-stop:
				return
			}
		}
	}()
	below := t.err
	t.err = p // what is said meanwhile stands above the bar
	return func() {
		close(stop)
		<-stopped
		if timer.Stop() {
			close(late)
		}
		bar.Abort(true)
		p.Wait()
		t.err = below
	}
}

// view is what the bar says of a meter.
type view struct {
	m       *transfer.Meter
	now     func() time.Time
	samples []sample
}

type sample struct {
	at    time.Time
	bytes int64
}

// window is over how long the rate is taken.
const window = 5 * time.Second

// rate is in bytes a second, of what has moved in the last seconds.
func (v *view) rate() float64 {
	now := v.now()
	moved := v.m.Bytes.Load() - v.m.Here.Load()
	v.samples = append(v.samples, sample{now, moved})
	for len(v.samples) > 2 && now.Sub(v.samples[0].at) > window {
		v.samples = v.samples[1:]
	}
	first := v.samples[0]
	if span := now.Sub(first.at).Seconds(); span > 0 && moved > first.bytes {
		return float64(moved-first.bytes) / span
	}
	return 0
}

// before stands before the bar: how much of how much. Where sizes are missing,
// the sum is "of at least".
func (v *view) before() string {
	done, all := v.m.Bytes.Load(), v.m.Expected.Load()
	if v.m.Unsized.Load() > 0 {
		return fmt.Sprintf("%s of at least %s", byteCount(done), byteCount(all))
	}
	percent := int64(100)
	if all > 0 {
		percent = done * 100 / all
	}
	return fmt.Sprintf("%s of %s %3d%%", byteCount(done), byteCount(all), percent)
}

// behind stands behind the bar: the rate, the time left where it can be known,
// and the files.
func (v *view) behind() string {
	var b strings.Builder
	rate := v.rate()
	fmt.Fprintf(&b, "%s/s", byteCount(int64(rate)))
	left := v.m.Expected.Load() - v.m.Bytes.Load()
	if rate > 0 && v.m.Unsized.Load() == 0 {
		fmt.Fprintf(&b, " %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	if files := v.m.Files.Load(); files > 1 {
		fmt.Fprintf(&b, " %d/%d files, %d at once", v.m.Done.Load(), files, v.m.Active.Load())
	}
	return b.String()
}
