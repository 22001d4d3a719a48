package gate_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/store/internal/gate"
)

func Example() {
	var g gate.Gate
	fmt.Println(g.Enter(context.Background()))
	fmt.Println(g.Shut(), g.Shut())
	fmt.Println(g.Enter(context.Background()))
	g.Leave()
	g.Wait()
	// Output:
	// <nil>
	// true false
	// store: closed
}
