package storetest_test

import (
	"errors"
	"fmt"

	"github.com/farend-go/farend/store/storetest"
)

// A Fault lets a disk fail, and an engine's own tests use it too.
func ExampleFailFrom() {
	fault := storetest.FailFrom(2, errors.New("no such luck"))
	for range 3 {
		fmt.Println(fault(storetest.Write, "a file"))
	}
	// Output:
	// <nil>
	// no such luck
	// no such luck
}
