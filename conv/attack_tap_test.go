package conv_test

import (
	"io"
	"net"
	"testing"

	"github.com/farend-go/farend/conv"
)

// A Tap that comes late hears nothing of what was said before.
func TestTapFromNowOn(t *testing.T) {
	ours, theirs := net.Pipe()
	c := conv.New(ours, conv.Options{})
	defer c.Close()
	go func() {
		_, _ = io.WriteString(theirs, "secret\r\nopen\r\n")
		_, _ = io.Copy(io.Discard, theirs)
	}()
	if line, err := c.R.Line(); string(line) != "secret" {
		t.Fatal(string(line), err)
	}
	if err := c.W.LineString("PASS hunter2"); err != nil {
		t.Fatal(err)
	}
	var ear lateEar
	c.SetTap(&ear)
	if err := c.W.LineString("NOOP"); err != nil {
		t.Fatal(err)
	}
	if line, err := c.R.Line(); string(line) != "open" {
		t.Fatal(string(line), err)
	}
	if err := c.W.Flush(); err != nil {
		t.Fatal(err)
	}
	if ear.said != "open\r\nNOOP\r\n" {
		t.Errorf("heard %q", ear.said)
	}
}

type lateEar struct{ said string }

func (e *lateEar) Hear(u conv.Utterance) { e.said += string(u.Bytes) }
