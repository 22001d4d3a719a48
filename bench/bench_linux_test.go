package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/bench/internal/ship"
)

// TestMain is a peer where startPeer starts this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "peer" {
		fmt.Fprintln(os.Stderr, peer(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// shortest is a run that proves nothing but that everything answers.
func shortest(t *testing.T) settings {
	t.Helper()
	binary, err := ship.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return settings{quick: true, reps: 1, run: 500 * time.Millisecond, farend: binary, from: 2, to: 7}
}

func TestEveryRowHasFigures(t *testing.T) {
	var out bytes.Buffer
	s := shortest(t)
	if err := s.main(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	table := out.String()
	for _, r := range rows() {
		if !r.quick {
			continue
		}
		if !strings.Contains(table, "| "+r.name+" | "+r.who[0].name+" ") {
			t.Errorf("no row %q", r.name)
		}
	}
	for _, want := range []string{"| HTTP, 1KiB, 64 connections | farend |", "| gnet |", "| lines, goroutines |", "UDP against TCP", "bytes per connection"} {
		if !strings.Contains(table, want) {
			t.Errorf("nothing about %q in\n%s", want, table)
		}
	}
	if strings.Contains(table, "NaN") || strings.Contains(table, "Inf") {
		t.Errorf("not numbers:\n%s", table)
	}
}

func TestPlot(t *testing.T) {
	s := shortest(t)
	s.plot = filepath.Join(t.TempDir(), "out.svg")
	var out bytes.Buffer
	if err := s.main(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 2 |", "| 6 |", "| 7 |", "farend events: from "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing about %q in\n%s", want, out.String())
		}
	}
	picture, err := os.ReadFile(s.plot)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "polyline" {
			lines++
		}
	}
	if lines != len(streams()) {
		t.Errorf("%d lines drawn", lines)
	}
}

func TestMedian(t *testing.T) {
	for want, all := range map[float64][]float64{0: nil, 3: {3}, 2.5: {4, 1, 2, 3}, 5: {9, 5, 1}} {
		if got := median(all); got != want {
			t.Errorf("%v: %v", all, got)
		}
	}
}

func TestSteps(t *testing.T) {
	if got := steps(10, 10000); !slices.Equal(got, []int{10, 32, 100, 316, 1000, 3162, 10000}) {
		t.Error(got)
	}
	if got := steps(5, 5); !slices.Equal(got, []int{5}) {
		t.Error(got)
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	for _, s := range []settings{{from: 0, to: 1}, {from: 2, to: 1}} {
		if err := s.main(t.Context(), io.Discard); err == nil {
			t.Errorf("%+v went well", s)
		}
	}
	for _, args := range [][]string{nil, {"net"}, {"nginx", "127.0.0.1:0"}} {
		if err := peer(args); err == nil {
			t.Errorf("peer %q served", args)
		}
	}
}
