package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestOutputKeepsItsOrder writes to one stream from many transfers.
func TestOutputKeepsItsOrder(t *testing.T) {
	var out strings.Builder
	l := newLine(t.Context(), &out, 20)
	var places []*place
	for range 20 {
		places = append(places, l.place())
	}
	var want strings.Builder
	var all sync.WaitGroup
	for i, p := range slices.Backward(places) {
		text := strings.Repeat(fmt.Sprintf("%02d ", i), 1+i*i*500)
		all.Go(func() {
			for chunk := range slices.Chunk([]byte(text), 60_000) {
				if _, err := p.Write(chunk); err != nil {
					t.Error(err)
				}
			}
			p.leave(func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
		})
	}
	for i := range 20 {
		want.WriteString(strings.Repeat(fmt.Sprintf("%02d ", i), 1+i*i*500))
	}
	all.Wait()
	if out.String() != want.String() {
		t.Error("the order is lost")
	}
}

// counted counts what is written, and fails from a byte on.
type counted struct {
	bytes.Buffer
	writes, most int
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes++
	if c.Len()+len(b) > c.most {
		return 0, io.ErrClosedPipe
	}
	return c.Buffer.Write(b)
}

// TestOutputOfThoseWhoHaveLeft has the first one come last: those behind it wait
// for nothing, are written at once, and told what came of it.
func TestOutputOfThoseWhoHaveLeft(t *testing.T) {
	for _, c := range []struct {
		name   string
		most   int
		want   string
		writes int
		failed int
	}{
		{"all", 100, "abcd", 2, 0},
		{"no more", 1, "a", 2, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &counted{most: c.most}
			l := newLine(t.Context(), out, 4)
			places := []*place{l.place(), l.place(), l.place(), l.place()}
			told, failed := 0, 0
			for i, p := range slices.Backward(places) {
				if told > 0 {
					t.Error("told before it was written")
				}
				if _, err := p.Write([]byte{byte('a' + i)}); err != nil {
					t.Error(err)
				}
				p.leave(func(err error) {
					if told++; errors.Is(err, io.ErrClosedPipe) {
						failed++
					}
				})
			}
			if out.String() != c.want || out.writes != c.writes || told != 4 || failed != c.failed {
				t.Errorf("%q in %d writes, %d told, %d failed", out, out.writes, told, failed)
			}
		})
	}
}

// TestOutputThatIsOver writes nothing more, and nobody waits.
func TestOutputThatIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out strings.Builder
	l := newLine(ctx, &out, 3)
	first, second, third := l.place(), l.place(), l.place()
	told := 0
	stopped := func(err error) {
		if told++; !errors.Is(err, context.Canceled) {
			t.Errorf("told %v", err)
		}
	}
	if _, err := second.Write([]byte("held")); err != nil {
		t.Error(err)
	}
	second.leave(stopped)
	ended := make(chan error)
	go func() {
		_, err := third.Write(make([]byte, kept+1)) // more than is held: it waits
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting one ends with %v", err)
	}
	third.leave(stopped)
	first.leave(stopped)
	if told != 3 || out.Len() > 0 {
		t.Errorf("%d told, %q written", told, out.String())
	}
}
