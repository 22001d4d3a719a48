package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chart is lines over a logarithmic axis, from zero up.
type chart struct {
	title, unit string
	lines       []series
}

type series struct {
	name   string
	points []point // in the order of x
}

type point struct{ x, y float64 }

func (s series) least() float64 {
	v := math.Inf(1)
	for _, p := range s.points {
		v = min(v, p.y)
	}
	return v
}

func (s series) most() float64 {
	v := 0.0
	for _, p := range s.points {
		v = max(v, p.y)
	}
	return v
}

// The picture's measures.
const (
	width, height          = 760, 420
	left, right, top, foot = 60, 150, 50, 50
)

// palette tells lines apart, also for the colour-blind (Okabe and Ito).
func palette(i int) string {
	return []string{"#0072b2", "#009e73", "#d55e00", "#cc79a7", "#000000"}[i%5]
}

// svg draws the chart.
func (c chart) svg() string {
	low, high, most := math.Inf(1), 1.0, 0.0
	for _, s := range c.lines {
		for _, p := range s.points {
			low, high, most = min(low, p.x), max(high, p.x), max(most, p.y)
		}
	}
	tick := round(most / 5)
	ceiling := tick * math.Ceil(most/tick)
	x := func(v float64) float64 {
		if high <= low {
			return left
		}
		return left + (width-left-right)*math.Log(v/low)/math.Log(high/low)
	}
	y := func(v float64) float64 { return top + (height-top-foot)*(1-v/ceiling) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="24" font-size="14">%s</text>`+"\n", left, html.EscapeString(c.title))
	for v := 0.0; v <= ceiling+tick/2; v += tick {
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`, left, y(v), width-right, y(v))
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s %s</text>`+"\n", left-6, y(v)+4, number(v), html.EscapeString(c.unit))
	}
	for i, s := range c.lines {
		var path []string
		for _, p := range s.points {
			path = append(path, fmt.Sprintf("%.1f,%.1f", x(p.x), y(p.y)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(p.x), y(p.y), palette(i))
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(path, " "), palette(i))
		legend := top + 20*i
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/>`, width-right+14, legend, palette(i))
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`+"\n", width-right+32, legend+11, html.EscapeString(s.name))
	}
	if len(c.lines) > 0 {
		for _, p := range c.lines[0].points {
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`, x(p.x), height-foot+18, number(p.x))
		}
	}
	fmt.Fprintf(&b, "\n"+`<text x="%d" y="%d" text-anchor="middle">connections</text>`+"\n</svg>\n", (left+width-right)/2, height-12)
	return b.String()
}

// round makes a step between ticks of 1, 2 or 5 and zeros.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	ten := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*ten {
			return m * ten
		}
	}
	return 10 * ten
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
