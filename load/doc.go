// Package load is a generator of load for servers, the heir of wrk2 and of the
// ab that everybody starts with: many connections, requests at a fixed rate or
// as fast as the answers come, every answer checked.
//
//	res, err := load.Run(ctx, load.Plan{
//		Target:      "tcp:127.0.0.1:9999",
//		Connections: 100,
//		Rate:        5000,
//		Duration:    10 * time.Second,
//		Message:     load.Message{Send: []byte("hello\n"), Expect: load.Line()},
//	})
//
// Without a Rate the loop is closed: each connection sends its next request
// when it has the answer, so that a slow server is asked less. With a Rate it
// is open: every request has a planned time, and its latency counts from then,
// even where it could only be sent later. A server that stands still for a
// second is so charged with every request of that second (what Gil Tene calls
// coordinated omission is not committed).
//
// A protocol with more to say than one message is a [Conversation].
package load
