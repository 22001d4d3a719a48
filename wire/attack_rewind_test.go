package wire_test

import (
	"errors"
	"io"
	"testing"

	"github.com/farend-go/farend/wire"
)

// here is a Source from which nothing comes but what is added.
type here struct{}

func (here) Fill() error       { return wire.ErrWait }
func (here) Lend() []byte      { return wire.Get(512)[:0] }
func (here) Unlend(b []byte)   { wire.Put(b) }
func (here) Send([]byte) error { return nil }

func add(r *wire.Reader, text string) {
	for len(r.Room()) < len(text) {
		r.Grow()
	}
	r.Added(copy(r.Room(), text))
}

// turn runs f as an engine runs an inline Turn.
func turn(r *wire.Reader, f func() error) error {
	mark := r.Mark()
	err := f()
	if errors.Is(err, wire.ErrWait) {
		r.Rewind(mark)
	}
	return err
}

func TestRewindLeavesOpenBodies(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin func(r *wire.Reader) (io.Reader, error)
		parts []string
	}{
		{"block", func(r *wire.Reader) (io.Reader, error) { return r.Block(), nil }, []string{"RSET\r\n", ".", ".\r\nQUIT\r", "\n.\r", "\nNEXT\r\n"}},
		{"literal", func(r *wire.Reader) (io.Reader, error) { return r.Literal(16) }, []string{"RSET\r\n", "QUIT\r\n", "MAIL", "NEXT\r\n"}},
	} {
		for _, reads := range []bool{false, true} {
			var r wire.Reader
			r.Init(here{}, 0)
			var b io.Reader
			if err := turn(&r, func() (err error) { b, err = c.begin(&r); return err }); err != nil {
				t.Fatal(err)
			}
			for i, part := range c.parts {
				add(&r, part)
				var line []byte
				err := turn(&r, func() (err error) {
					if reads { // the session goes on reading what an earlier Turn began
						if _, err := io.ReadAll(b); err != nil {
							return err
						}
					}
					line, err = r.Line()
					return err
				})
				if last := i == len(c.parts)-1; last && (err != nil || string(line) != "NEXT") {
					t.Errorf("%s, reads %v: %q, %v", c.name, reads, line, err)
				} else if !last && !errors.Is(err, wire.ErrWait) {
					t.Errorf("%s, reads %v, part %d: %q, %v", c.name, reads, i, line, err)
				}
			}
		}
	}
}

func TestRewindOfABodyBegunSince(t *testing.T) {
	var r wire.Reader
	r.Init(here{}, 0)
	var got string
	whole := func() error {
		if _, err := r.Line(); err != nil {
			return err
		}
		b, err := io.ReadAll(r.Block())
		got = string(b)
		return err
	}
	add(&r, "DATA\r\none\r\n.")
	if err := turn(&r, whole); !errors.Is(err, wire.ErrWait) {
		t.Fatal(err)
	}
	add(&r, "\r\nNEXT\r\n")
	if err := turn(&r, whole); err != nil || got != "one\r\n" {
		t.Errorf("%q, %v", got, err)
	}
	if line, err := r.Line(); string(line) != "NEXT" {
		t.Errorf("%q, %v", line, err)
	}
}

func TestRewindDropsWhatWasTooLong(t *testing.T) {
	for _, text := range []string{"0123456789\r\n", "0123456789"} {
		var r wire.Reader
		r.Init(here{}, 8)
		add(&r, text)
		seen := 0
		two := func() error {
			for range 2 {
				if _, err := r.Line(); errors.Is(err, wire.ErrLineTooLong) {
					seen++
				} else if err != nil {
					return err
				}
			}
			return nil
		}
		for range 3 {
			if err := turn(&r, two); !errors.Is(err, wire.ErrWait) {
				t.Fatal(err)
			}
		}
		if seen != 1 {
			t.Errorf("%q was refused %d times", text, seen)
		}
	}
}
