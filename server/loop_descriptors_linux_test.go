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
	overLoops(t, server.Inline, func(t *testing.T, k kind) {
		c := start(t, k, &server.Server{Handler: &liner{mode: k.mode}}).client()
		c.expect("+ hello")
		c.say("SAY something\r\n")
		c.expect("+ something")
	})
}
