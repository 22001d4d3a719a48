package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/load"
)

// benchReport is what bench says at the end; its JSON is one object.
type benchReport struct {
	*load.Result
	Goals []benchGoal `json:"goals"`
}

type benchGoal struct {
	Goal  string `json:"goal"`
	Met   bool   `json:"met"`
	Value string `json:"value"`
}

func newBenchReport(r *load.Result, goals []load.Goal) benchReport {
	b := benchReport{Result: r, Goals: []benchGoal{}}
	for _, g := range goals {
		met, value := g.Met(r)
		b.Goals = append(b.Goals, benchGoal{g.String(), met, value})
	}
	return b
}

// missed names the goals that were.
func (b benchReport) missed() string {
	var all []string
	for _, g := range b.Goals {
		if !g.Met {
			all = append(all, fmt.Sprintf("%s (%s)", g.Goal, g.Value))
		}
	}
	return strings.Join(all, ", ")
}

// readBefore reads the run to compare with; nil where there is none.
func (b *benchCommand) readBefore() (*load.Result, error) {
	if b.before == "" {
		return nil, nil
	}
	text, err := os.ReadFile(b.before)
	if err != nil {
		return nil, err
	}
	r := &load.Result{}
	if err := json.Unmarshal(text, r); err != nil || r.Target == "" {
		return nil, fmt.Errorf("%s: not the --json of a bench", b.before)
	}
	return r, nil
}

// text is the report for people.
func (b benchReport) text(p load.Plan, before *load.Result) string {
	var out strings.Builder
	row := func(name, text string) { fmt.Fprintf(&out, " %-9s %s\n", name, text) }
	row("connect", b.connect(p))
	row("replies", b.replies(p))
	row("errors", b.errors())
	if b.Lost > 0 || b.Stale > 0 {
		row("lost", fmt.Sprintf("%s of %s (%.2g %%), %s answered too late", count(b.Lost), count(b.Sent), share(b.Lost, b.Sent), count(b.Stale)))
	}
	row("bytes", "out "+amount(b.BytesOut)+"  in "+amount(b.BytesIn))
	for _, note := range b.notes() {
		row("note", note)
	}
	if before != nil {
		b.compare(row, before)
	}
	for _, g := range b.Goals {
		verdict := "met"
		if !g.Met {
			verdict = "MISSED"
		}
		row("max", fmt.Sprintf("%s: %s, it is %s", g.Goal, verdict, g.Value))
	}
	return out.String()
}

func (b benchReport) connect(p load.Plan) string {
	c := b.Connect
	text := count(c.Count) + " ok"
	if !p.Reconnect {
		text += " in " + short(b.Opening)
	}
	text += fmt.Sprintf("   p50 %s  p99 %s  max %s", short(c.P50), short(c.P99), short(c.Max))
	if b.SlowSYN > 0 {
		text += fmt.Sprintf(" (%d took a second or more, as when a SYN is sent again: raise the server's backlog)", b.SlowSYN)
	}
	return text
}

func (b benchReport) replies(p load.Plan) string {
	l := b.Latency
	rate, since := count(uint64(math.Round(b.Rate)))+"/s", "from sending"
	if p.Reconnect {
		since = "from connecting"
	}
	if b.Wanted > 0 {
		rate += fmt.Sprintf(" of %s/s wanted", count(uint64(b.Wanted)))
		since = "from planned send time"
	}
	return fmt.Sprintf("%s   p50 %s  p90 %s  p99 %s  p99.9 %s  max %s   (%s)",
		rate, short(l.P50), short(l.P90), short(l.P99), short(l.P999), short(l.Max), since)
}

// errors names the usual kinds always, the others when they happened.
func (b benchReport) errors() string {
	var all, examples []string
	for _, k := range load.Failures() {
		n := b.Errors[k]
		if n > 0 || k == load.Reset || k == load.Timeout || k == load.Wrong {
			all = append(all, strings.ReplaceAll(string(k), "_", " ")+" "+count(n))
		}
		if n > 0 {
			examples = append(examples, b.Examples[k])
		}
	}
	text := strings.Join(all, ", ")
	if len(examples) > 0 {
		text += "   (" + strings.Join(examples, "; ") + ")"
	}
	return text
}

// notes say what the numbers must be read with.
func (b benchReport) notes() []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if b.Interrupted {
		note("interrupted after %s: this is what was measured until then", short(time.Duration(b.Seconds*1e9)))
	}
	if b.Late > 0 {
		note("%s sent late (%.2g %%), by %s at most: %s found no connection free, %s were held up on this side",
			count(b.Late), share(b.Late, b.Sent), short(b.MaxLate), count(b.Starved), count(b.Late-b.Starved))
	}
	if b.Unsent > 0 {
		note("%s planned requests were not sent by the end: the times above flatter the server", count(b.Unsent))
	}
	own := b.Own
	switch {
	case own.Busy > 0.85:
		note("this program used %.0f %% of its %d cores: it may be the limit, not the server", 100*own.Busy, own.Cores)
	case own.Machine > 0.95:
		note("all cores of this machine were busy, with this program for %.0f %%: a server here has the rest", 100*own.Busy)
	case b.Late-b.Starved > b.Sent/100:
		note("this program fell behind its plan by itself: it, and not the server, is the limit")
	}
	return notes
}

// compare sets an earlier run beside this one.
func (b benchReport) compare(row func(name, text string), before *load.Result) {
	if before.Target != b.Target || before.Connections != b.Connections || before.Wanted != b.Wanted || before.Depth != b.Depth {
		row("before", "another plan: "+before.Target+", "+strconv.Itoa(before.Connections)+" connections")
	}
	change := func(was, is float64) string {
		if was == 0 {
			return ""
		}
		return fmt.Sprintf(" (%+.0f %%)", 100*(is-was)/was)
	}
	row("rate", count(uint64(before.Rate))+" → "+count(uint64(b.Rate))+"/s"+change(before.Rate, b.Rate))
	was, is := before.Latency, b.Latency
	for _, p := range []struct {
		name    string
		was, is time.Duration
	}{{"p50", was.P50, is.P50}, {"p90", was.P90, is.P90}, {"p99", was.P99, is.P99}, {"p99.9", was.P999, is.P999}, {"max", was.Max, is.Max}} {
		row(p.name, short(p.was)+" → "+short(p.is)+change(float64(p.was), float64(p.is)))
	}
	row("errors", count(before.TotalErrors())+" → "+count(b.TotalErrors()))
}

func share(part, whole uint64) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// short is a time in three digits.
func short(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= u.unit {
			return digits(float64(d)/float64(u.unit)) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}

// amount is a number of bytes in three digits.
func amount(n uint64) string {
	f := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if f < 1000 {
			return digits(f) + " " + unit
		}
		f /= 1000
	}
	return digits(f) + " TB"
}

// digits writes three of them, or all before the point.
func digits(f float64) string {
	switch {
	case f >= 100 || f == math.Trunc(f):
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

// count writes thousands apart.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
