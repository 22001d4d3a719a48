package load

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Goal is what a Result must reach, such as p99<50ms.
type Goal struct {
	Metric string  // p50 p99.9 and other percentiles, max, mean, rate, errors, lost, late
	Op     string  // < <= > >=
	Limit  float64 // nanoseconds for latencies, requests per second for rate, else a count
	text   string
}

// ParseGoal reads METRIC OP VALUE; blanks do not matter. Latencies are
// durations (50ms), the others numbers.
func ParseGoal(s string) (Goal, error) {
	bad := func(why string) (Goal, error) {
		return Goal{}, fmt.Errorf("goal %q: %s (p99<50ms, errors<=0, rate>=10000)", s, why)
	}
	i := strings.IndexAny(s, "<>")
	if i < 0 {
		return bad("no < <= > or >=")
	}
	g := Goal{Metric: strings.TrimSpace(s[:i]), Op: s[i : i+1]}
	value := s[i+1:]
	if rest, ok := strings.CutPrefix(value, "="); ok {
		g.Op += "="
		value = rest
	}
	value = strings.TrimSpace(value)
	isTime, ok := metricKind(g.Metric)
	if !ok {
		return bad("it begins with p50 to p99.999, max, mean, rate, errors, lost or late")
	}
	if isTime {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return bad("a latency is compared with a duration")
		}
		g.Limit = float64(d)
	} else {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
			return bad("it is compared with a number")
		}
		g.Limit = n
	}
	g.text = g.Metric + g.Op + value
	return g, nil
}

// metricKind tells latencies from numbers; ok is false for no metric.
func metricKind(name string) (isTime, ok bool) {
	switch name {
	case "max", "mean":
		return true, true
	case "rate", "errors", "lost", "late":
		return false, true
	}
	_, ok = percentile(name)
	return true, ok
}

// percentile reads the number of p99.9.
func percentile(name string) (float64, bool) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	p, err := strconv.ParseFloat(digits, 64)
	return p, err == nil && p > 0 && p <= 100
}

// String is the goal as ParseGoal takes it.
func (g Goal) String() string { return g.text }

// Met tells whether r reaches the goal, and the value that it has, as text. A
// latency without a single reply, or without a result, reaches nothing.
func (g Goal) Met(r *Result) (met bool, value string) {
	isTime, _ := metricKind(g.Metric)
	if isTime && r.Replies == 0 {
		return false, "no replies"
	}
	v := r.metric(g.Metric)
	value = strconv.FormatFloat(v, 'f', -1, 64)
	switch {
	case isTime:
		value = time.Duration(v).String()
	case g.Metric == "rate":
		value = strconv.FormatFloat(v, 'f', 0, 64)
	}
	switch g.Op {
	case "<":
		return v < g.Limit, value
	case "<=":
		return v <= g.Limit, value
	case ">":
		return v > g.Limit, value
	}
	return v >= g.Limit, value
}
