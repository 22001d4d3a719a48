// Command name-lookup is the tutorials' look-up program: it prints the
// addresses of a host's web service, and this host's name.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/farend-go/farend/socket"
)

func main() {
	host := "tutorialspoint.com"
	if len(os.Args) > 1 {
		host = os.Args[1]
	}
	if err := look(context.Background(), host); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func look(ctx context.Context, host string) error {
	infos, err := socket.GetAddrInfo(ctx, host, "www", socket.Hints{})
	if err != nil {
		return err
	}
	fmt.Println(socket.TupleList(infos))
	name, err := socket.GetHostname()
	if err != nil {
		return err
	}
	fmt.Println(name)
	return nil
}
