package xmlrpctest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/farend-go/farend/proto/xmlrpc"
	"github.com/farend-go/farend/proto/xmlrpc/xmlrpctest"
)

func methods(t testing.TB) xmlrpc.Methods {
	double, err := xmlrpc.Func(func(n int) int { return 2 * n }, "twice as much")
	if err != nil {
		t.Fatal(err)
	}
	return xmlrpc.Methods{"double": double}
}

func Example() {
	var t testing.TB = &testing.T{} // that of your test

	double, _ := xmlrpc.Func(func(n int) int { return 2 * n }, "twice as much")
	far := xmlrpctest.New(t, xmlrpc.Methods{"double": double}, xmlrpc.Options{})
	c := &xmlrpc.Client{URL: far.URL}
	var n int
	fmt.Println(c.Call(context.Background(), "double", []any{21}, &n), n)
	fmt.Println(far.Calls())
	// Output:
	// <nil> 42
	// [{double [21]}]
}

func TestFail(t *testing.T) {
	far := xmlrpctest.New(t, methods(t), xmlrpc.Options{})
	c := &xmlrpc.Client{URL: far.URL}
	far.Fail("double", &xmlrpc.Fault{Code: 4, String: "not today"})
	far.Fail("double", errors.New("nor tomorrow"))
	want := []string{"xmlrpc: fault 4: not today", "xmlrpc: fault -32500: nor tomorrow", "<nil>"}
	for i := range 3 {
		if err := c.Call(t.Context(), "double", []any{i}, nil); fmt.Sprint(err) != want[i] {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if n := len(far.Calls()); n != 3 {
		t.Errorf("%d calls", n)
	}
}
