package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Result is what Run measured, after the warm-up.
type Result struct {
	Target      string  `json:"target"`
	Connections int     `json:"connections"`
	Depth       int     `json:"depth"`
	Seconds     float64 `json:"seconds"` // from the first request to the last, or to the end of Duration

	Wanted  float64 `json:"wanted_rate,omitempty"` // Plan.Rate
	Rate    float64 `json:"rate"`                  // replies per second
	Sent    uint64  `json:"sent"`
	Replies uint64  `json:"replies"` // that were right
	InTime  uint64  `json:"in_time"` // of these, and of the warm-up's, those that came within Seconds: Rate counts them
	Lost    uint64  `json:"lost"`    // datagrams without an answer in time
	Stale   uint64  `json:"stale"`   // answers to datagrams that had been given up

	// At a fixed rate: Late requests left more than a millisecond after their
	// planned time, the latest MaxLate after it. Starved of them found no
	// connection free; the others were held up by this program. Unsent were
	// planned and not sent by the end.
	Late    uint64        `json:"late"`
	Starved uint64        `json:"starved"`
	MaxLate time.Duration `json:"max_late_ns"`
	Unsent  uint64        `json:"unsent"`

	BytesOut uint64 `json:"bytes_out"`
	BytesIn  uint64 `json:"bytes_in"`

	Latency  Distribution       `json:"latency"`
	Connect  Distribution       `json:"connect"`
	Opening  time.Duration      `json:"opening_ns"`    // until all connections were open, before the first request
	SlowSYN  uint64             `json:"slow_connects"` // those of a second and more: a SYN had to be sent again
	Errors   map[Failure]uint64 `json:"errors"`        // every kind, also those that did not happen
	Examples map[Failure]string `json:"examples,omitempty"`

	Own         Effort `json:"own"`
	Interrupted bool   `json:"interrupted"` // ctx ended before the plan did

	latency *hdrhistogram.Histogram
}

// Distribution is what a histogram says, in nanoseconds.
type Distribution struct {
	Count uint64        `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p99.9_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Effort is what the load cost this program and its machine.
type Effort struct {
	CPU     time.Duration `json:"cpu_ns"`       // of this process
	Cores   int           `json:"cores"`        // that it may use
	Busy    float64       `json:"busy"`         // share of these cores that it used
	Machine float64       `json:"machine_busy"` // share of the machine's cores that anybody used; 0: not known
}

// TotalErrors counts errors of every kind.
func (r *Result) TotalErrors() uint64 {
	var n uint64
	for _, k := range r.Errors {
		n += k
	}
	return n
}

// metric is the value of a Goal's metric.
func (r *Result) metric(name string) float64 {
	switch name {
	case "max":
		return float64(r.Latency.Max)
	case "mean":
		return float64(r.Latency.Mean)
	case "rate":
		return r.Rate
	case "errors":
		return float64(r.TotalErrors())
	case "lost":
		return float64(r.Lost)
	case "late":
		return float64(r.Late + r.Unsent)
	}
	p, _ := percentile(name)
	if r.latency == nil { // it was read from JSON
		return r.Latency.read(p)
	}
	return float64(min(r.latency.ValueAtPercentile(p), r.latency.Max()))
}

// read gives a percentile, of those that are there the next one above.
func (d Distribution) read(p float64) float64 {
	for _, have := range []struct {
		p float64
		v time.Duration
	}{{50, d.P50}, {90, d.P90}, {95, d.P95}, {99, d.P99}, {99.9, d.P999}} {
		if p <= have.p {
			return float64(have.v)
		}
	}
	return float64(d.Max)
}

// longest is what a histogram holds; it keeps three digits.
const longest = int64(time.Hour)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, 3) }

// record counts a time, of an hour at most.
func record(h *hdrhistogram.Histogram, d int64) {
	_ = h.RecordValue(min(max(d, 0), longest)) // fails only beyond that
}

func distribution(h *hdrhistogram.Histogram) Distribution {
	at := func(p float64) time.Duration { return time.Duration(min(h.ValueAtPercentile(p), h.Max())) }
	if h.TotalCount() == 0 {
		return Distribution{}
	}
	return Distribution{
		Count: uint64(h.TotalCount()), Mean: time.Duration(h.Mean()),
		P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()),
	}
}
