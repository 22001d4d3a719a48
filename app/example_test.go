package app_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/app"
)

// A program that serves echo on a free port of tcp and udp.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	place, err := app.ParseListen("echo=:0")
	if err != nil {
		fmt.Println(err)
		stop()
		return
	}
	a, err := app.Listen(ctx, app.Config{Listen: []app.Place{place}})
	if err != nil {
		fmt.Println(err)
		stop()
		return
	}
	for _, l := range a.Ready().Services {
		fmt.Println(l.Name, l.Network)
	}
	stop()
	fmt.Println(a.Serve(ctx))
	// Output:
	// echo tcp
	// echo udp
	// <nil>
}
