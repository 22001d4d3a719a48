package sorted_test

import (
	"fmt"

	"github.com/farend-go/farend/store/internal/sorted"
)

func Example() {
	var before sorted.Map
	before = before.Set([]byte("b"), []byte("2")).Set([]byte("a"), []byte("1"))
	after := before.Delete([]byte("a")).Set([]byte("c"), []byte("3"))
	for _, m := range []sorted.Map{before, after} {
		for k, v := range m.Ascend(nil, nil) {
			fmt.Printf("%s=%s ", k, v)
		}
		fmt.Println(m.Len())
	}
	// Output:
	// a=1 b=2 2
	// b=2 c=3 2
}
