package dial_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/farend-go/farend/dial"
)

func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go func() { // a capitals server for one line
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			fmt.Fprint(c, strings.ToUpper(line))
		}
	}()

	var d dial.Dialer
	c, err := d.Dial(context.Background(), "tcp:"+l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if err := c.W.LineString("hello"); err != nil {
		fmt.Println(err)
		return
	}
	line, err := c.R.Line()
	fmt.Println(string(line), err)
	// Output: HELLO <nil>
}
