package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/farend-go/farend/proto/xmlrpc"
)

// rpcPath is where XML-RPC is answered, as Python's server does.
const rpcPath = "/RPC2"

// remoteProcedures are the methods at /RPC2.
func (a *App) remoteProcedures() http.Handler {
	methods := xmlrpc.Methods{}
	for _, m := range []struct {
		name, help string
		f          any
	}{
		{"add", "The sum of two numbers.", addNumbers},
		{"echo", "The array of its arguments.", func(args ...any) []any { return append([]any{}, args...) }},
		{"fail", "Always a fault.", func(_ context.Context, _ ...any) error {
			return &xmlrpc.Fault{Code: 1, String: "this method always fails"}
		}},
		{"upper", "The string in capitals.", strings.ToUpper},
	} {
		made, err := xmlrpc.Func(m.f, m.help)
		if err != nil { // XML-RPC has all of their types
			panic(fmt.Sprintf("app: method %s: %v", m.name, err))
		}
		methods[m.name] = made
	}
	add := methods["add"]
	add.Signatures = [][]string{{"int", "int", "int"}, {"double", "double", "double"}}
	methods["add"] = add
	return &xmlrpc.Server{
		Methods: methods, Options: xmlrpc.Options{Extensions: true}, Title: "farend: XML-RPC",
		About: "Call a method: farend rpc URL add 2 3", Log: a.log(),
	}
}

// addNumbers gives an int for two ints, and a double where one is among them.
func addNumbers(x, y any) (any, error) {
	if a, ok := x.(int); ok {
		if b, ok := y.(int); ok {
			return a + b, nil
		}
	}
	a, oka := number(x)
	b, okb := number(y)
	if !oka || !okb {
		return nil, &xmlrpc.Fault{Code: xmlrpc.CodeParameters, String: "add takes two numbers"}
	}
	return a + b, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
