package conv_test

import (
	"fmt"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
)

func Example() {
	near, far := transcript.Pipe() // any net.Conn will do

	go func() { // the server's end
		c := conv.New(far, conv.Options{})
		defer c.Close()
		if line, err := c.R.Line(); err == nil {
			_ = c.W.LineString("250 pleased to meet " + string(line[5:]))
		}
	}()

	c := conv.New(near, conv.Options{})
	defer c.Close()
	_ = c.W.LineString("HELO ann.example") // it leaves before the next line waits
	reply, err := c.R.Reply()
	fmt.Println(reply, err)
	// Output: 250 pleased to meet ann.example <nil>
}

// printer is a Tap.
type printer struct{}

func (printer) Hear(u conv.Utterance) { fmt.Printf("%v %q\n", u.Ours, u.Bytes) }

func ExampleConn_Redact() {
	near, far := transcript.Pipe()
	defer far.Close()
	fmt.Fprint(far, "PASS sesame\r\n")

	c := conv.New(near, conv.Options{Tap: printer{}})
	line, _ := c.R.Line()
	c.Redact(len("PASS "))
	fmt.Printf("read %q\n", line)
	_ = c.W.LineString("+OK")
	_ = c.Close()
	// Output:
	// false "PASS "
	// false "***"
	// read "PASS sesame"
	// true "+OK\r\n"
}
