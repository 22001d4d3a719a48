package xmlrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/farend-go/farend/proto/xmlrpc"
)

func Example() {
	add, err := xmlrpc.Func(func(a, b int) int { return a + b }, "adds two numbers")
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(&xmlrpc.Server{Methods: xmlrpc.Methods{"add": add}})
	defer srv.Close()

	c := &xmlrpc.Client{URL: srv.URL}
	var sum int
	err = c.Call(context.Background(), "add", []any{2, 3}, &sum)
	fmt.Println(sum, err)

	var fault *xmlrpc.Fault
	err = c.Call(context.Background(), "subtract", []any{2, 3}, &sum)
	fmt.Println(errors.As(err, &fault), err)
	// Output:
	// 5 <nil>
	// true xmlrpc: fault -32601: there is no method subtract
}
