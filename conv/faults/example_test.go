package faults_test

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
)

func Example() {
	near, far := transcript.Pipe() // a *net.TCPConn gets a true RST
	defer far.Close()

	nc := faults.Layer(faults.Rule{Do: faults.Reset, After: 5, Dir: faults.Out})(near)
	n, err := io.WriteString(nc, "hello, world")
	fmt.Println(n, errors.Is(err, syscall.ECONNRESET))

	got, err := io.ReadAll(far)
	fmt.Printf("%q %v\n", got, errors.Is(err, syscall.ECONNRESET))
	// Output:
	// 5 true
	// "hello" true
}

func ExampleParse() {
	r, err := faults.Parse("ftp RETR after=1MiB do=reset times=1")
	fmt.Println(r.Service, r.Verb, r.After, r.Do, r.Times, err)
	_, err = faults.Parse("echo after=5 do=clsoe")
	fmt.Println(err)
	// Output:
	// ftp RETR 1048576 reset 1 <nil>
	// fault "echo after=5 do=clsoe": no deed "clsoe", did you mean "close"?
}
