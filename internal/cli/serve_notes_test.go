package cli

import (
	"net"
	"testing"

	"github.com/farend-go/farend/app"
)

// What Python's print('Got connection from', addr) shows for Unix sockets.
func TestNotesOfUnixPeers(t *testing.T) {
	for name, want := range map[string][2]string{
		"@":         {"", ""},
		"":          {"", ""},
		"@name":     {`b'\x00name'`, "@name"},
		"/tmp/it's": {"/tmp/it's", "/tmp/it's"},
	} {
		n := app.Note{Service: "greet", Peer: &net.UnixAddr{Name: name, Net: "unix"}}
		if got := string(noteText(n)); got != "Got connection from "+want[0]+"\n" {
			t.Errorf("%q: %q", name, got)
		}
		if got := string(noteJSON(n)); got != `{"event":"connected","service":"greet","peer":"`+want[1]+"\"}\n" {
			t.Errorf("%q: %s", name, got)
		}
	}
}
