package main

import (
	"net/http/httptest"
	"testing"

	kolo "github.com/kolo/xmlrpc"

	"github.com/farend-go/farend/proto/xmlrpc"
)

// BenchmarkXMLRPCClients calls one method over one connection, with ours and
// with the Go library that is used most.
func BenchmarkXMLRPCClients(b *testing.B) {
	echo, err := xmlrpc.Func(func(v map[string]any) map[string]any { return v }, "")
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(&xmlrpc.Server{Methods: xmlrpc.Methods{"echo": echo}})
	defer srv.Close()
	arg := map[string]any{"name": "far end", "numbers": []any{1, 2.5, true}, "text": "a < b & c"}
	b.Run("farend", func(b *testing.B) {
		c := &xmlrpc.Client{URL: srv.URL}
		for b.Loop() {
			var out map[string]any
			if err := c.Call(b.Context(), "echo", []any{arg}, &out); err != nil || len(out) != 3 {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("kolo", func(b *testing.B) {
		c, err := kolo.NewClient(srv.URL, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		for b.Loop() {
			var out map[string]any
			if err := c.Call("echo", arg, &out); err != nil || len(out) != 3 {
				b.Fatal(out, err)
			}
		}
	})
}
