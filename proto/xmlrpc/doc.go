// Package xmlrpc is XML-RPC, both ends, the heir of Python's xmlrpc.client and
// xmlrpc.server (xmlrpclib and SimpleXMLRPCServer before).
//
// A client in a few lines:
//
//	c := &xmlrpc.Client{URL: "http://127.0.0.1:8080/RPC2"}
//	var sum int
//	err := c.Call(ctx, "add", []any{2, 3}, &sum)
//
// A server is an [http.Handler]:
//
//	add, err := xmlrpc.Func(func(a, b int) int { return a + b }, "adds two numbers")
//	http.Handle("/RPC2", &xmlrpc.Server{Methods: xmlrpc.Methods{"add": add}})
//
// # Values
//
//	int, i4, i8         every integer of Go that holds it; any: int
//	boolean             bool
//	string              string
//	double              float64, float32
//	dateTime.iso8601    time.Time
//	base64              []byte; an io.Reader is sent, an io.Writer takes, as a stream
//	array               slices and arrays; any: []any
//	struct              structs by the tag `xmlrpc:"name,omitempty"`, maps with
//	                    string keys; any: map[string]any
//	nil                 a nil pointer, interface, map or slice of a struct's field
//
// nil and the i8 of large integers are extensions: they are written where
// [Options].Extensions allows, and understood always, as are Apache's ex: types.
//
// What comes in is bounded in depth, size, members and in how far compression
// may blow it up ([Options]). There are no document types and no entities but
// the five of XML, ever.
//
// Sources: the XML-RPC Specification (1999, with the amendments of 2003), the
// Specification for Fault Code Interoperability (2001), the introspection and
// multicall conventions of Python and PHP servers, and Apache's extensions.
package xmlrpc
