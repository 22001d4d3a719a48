package socket_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/farend-go/farend/socket"
)

// The tutorials' look-up program. With a name instead of 127.1 it asks the hosts
// file and the name servers.
func ExampleGetAddrInfo() {
	infos, err := socket.GetAddrInfo(context.Background(), "127.1", "80", socket.Hints{Type: socket.SOCK_STREAM})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(socket.Tuple(infos[0].Addr))
	// Output: ('127.0.0.1', 80)
}

func ExampleGetAddrInfo_error() {
	_, err := socket.GetAddrInfo(context.Background(), "127.0.0.1", "no-such-service", socket.Hints{})
	fmt.Println(err)
	fmt.Println(errors.Is(err, socket.EAI_SERVICE))
	// Output:
	// look up 127.0.0.1 no-such-service: Servname not supported for ai_socktype
	// true
}

func ExamplePair() {
	for _, address := range []socket.Address{
		socket.Pair("127.0.0.1", 12345),
		socket.Pair("0x7f000001", "12345"),
		socket.Pair(2130706433, 12345), // INADDR_LOOPBACK, in host byte order
		socket.Pair("", 50007),
		socket.Pair("<broadcast>", "www"),
	} {
		all, err := address.Resolve(context.Background(), socket.AF_INET, socket.SOCK_STREAM)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(socket.Tuple(all[0]))
	}
	// Output:
	// ('127.0.0.1', 12345)
	// ('127.0.0.1', 12345)
	// ('127.0.0.1', 12345)
	// ('0.0.0.0', 50007)
	// ('255.255.255.255', 80)
}

func ExampleParseHostPort() {
	host, port, err := socket.ParseHostPort("[::1]:http")
	fmt.Println(host, port, err)
	_, _, err = socket.ParseHostPort("::1:80")
	fmt.Println(err)
	// Output:
	// ::1 http <nil>
	// address "::1:80": an IPv6 address needs brackets ([::1]:80)
}

func ExampleCheckURLHost() {
	fmt.Println(socket.CheckURLHost("127.0.0.1"))
	fmt.Println(socket.CheckURLHost("0x7f.1"))
	// Output:
	// <nil>
	// host "0x7f.1": a URL takes an IPv4 address only in full (127.0.0.1)
}

func ExampleRepr() {
	fmt.Println("Received", socket.Repr([]byte("Hello, world\n")))
	// Output: Received b'Hello, world\n'
}
