package server_test

import (
	"os"
	"testing"

	"github.com/farend-go/farend/server"
)

// A loop that begins when the program has many files open has high descriptors
// of its own.
func TestEventsWithManyDescriptorsOpen(t *testing.T) {
	for range 300 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	r := start(t, kind{engine: "events", network: "tcp"}, &server.Server{Handler: &liner{}})
	c := r.client()
	c.expect("+ hello")
	c.say("SAY something\r\n")
	c.expect("+ something")
}
