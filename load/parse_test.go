package load_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/farend-go/farend/load"
)

func TestParseText(t *testing.T) {
	for in, want := range map[string]string{
		``: "", `hello\n`: "hello\n", `a\r\n\t\0\\\x41`: "a\r\n\t\x00\\A", `é`: "é",
	} {
		if got, err := load.ParseText(in); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{`\`, `\q`, `\x`, `\x4`, `\xzz`} {
		if got, err := load.ParseText(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzParseText(f *testing.F) {
	f.Add([]byte("a\\b\x00\n\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		back, err := load.ParseText(load.FormatText(b))
		if err != nil || !bytes.Equal(back, b) {
			t.Errorf("%q became %q, %v", b, back, err)
		}
		_, _ = load.ParseText(string(b))
	})
}

func TestParseExpect(t *testing.T) {
	for in, want := range map[string]string{
		"same": "same", "line": "line", "5 bytes": "5 bytes", "64bytes": "64 bytes",
		`ok\n`: `text:ok\n`, "text:line": "text:line", "some bytes": "text:some bytes",
	} {
		if got, err := load.ParseExpect(in); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "text:", "0 bytes", "-1 bytes", "99999999999 bytes", `\q`} {
		if got, err := load.ParseExpect(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzParseExpect(f *testing.F) {
	for _, s := range []string{"same", "line", "12 bytes", `text:\x00`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := load.ParseExpect(s)
		if err != nil {
			return
		}
		again, err := load.ParseExpect(e.String())
		if err != nil || again.String() != e.String() {
			t.Errorf("%q: %q, then %q, %v", s, e, again, err)
		}
	})
}

func TestParseGoal(t *testing.T) {
	r := &load.Result{
		Replies: 10, Rate: 5000, Lost: 2, Late: 3, Unsent: 1,
		Errors:  map[load.Failure]uint64{load.Reset: 3},
		Latency: load.Distribution{Mean: 4 * time.Millisecond, P50: 3 * time.Millisecond, P99: 50 * time.Millisecond, Max: time.Second},
	}
	for in, want := range map[string]bool{
		"p99<50ms": false, "p99<=50ms": true, "p50 < 4ms": true, "max>=1s": true, "max>1s": false, "mean<1ms": false,
		"rate>=5000": true, "rate>5e3": false, "errors<=0": false, "errors<4": true, "lost<=2": true, "late<4": false,
	} {
		g, err := load.ParseGoal(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if met, value := g.Met(r); met != want || value == "" {
			t.Errorf("%s: %v (%s)", g, met, value)
		}
	}
	g, err := load.ParseGoal("p99<1h")
	if err != nil {
		t.Fatal(err)
	}
	if met, _ := g.Met(&load.Result{}); met {
		t.Error("a run without replies reaches p99<1h")
	}
	for _, in := range []string{"", "p99", "p99<", "p99<5", "p0<1s", "p101<1s", "p<1s", "px<1s", "speed>1", "rate>1s", "rate>-1", "rate<NaN", "max<-1s", "p99=5ms"} {
		if g, err := load.ParseGoal(in); err == nil {
			t.Errorf("%q: %v", in, g)
		}
	}
}

func FuzzParseGoal(f *testing.F) {
	for _, s := range []string{"p99<50ms", "rate >= 1e3", "errors<=0", "p99.9>1us"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := load.ParseGoal(s)
		if err != nil {
			return
		}
		again, err := load.ParseGoal(g.String())
		if err != nil || again != g {
			t.Errorf("%q: %+v, then %+v, %v", s, g, again, err)
		}
		g.Met(&load.Result{Replies: 1})
	})
}
