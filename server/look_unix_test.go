//go:build unix

package server_test

import (
	"net"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
)

// slow is a connection whose reader comes too late, once, when it was given but
// a moment.
type slow struct {
	*net.TCPConn
	late *bool
}

func (s slow) SetReadDeadline(at time.Time) error {
	err := s.TCPConn.SetReadDeadline(at)
	if left := time.Until(at); !*s.late && left > 0 && left < time.Second {
		*s.late = true
		<-time.After(left)
	}
	return err
}

// TestLastLookOfABusyMachine: what came before the stop is answered, also where
// the time to look for it has passed before anybody could.
func TestLastLookOfABusyMachine(t *testing.T) {
	h := &liner{mode: server.Blocks, block: make(chan struct{}), holding: make(chan struct{})}
	late := false
	srv := &server.Server{Handler: h, Layers: []conv.Layer{func(nc net.Conn) net.Conn { return slow{nc.(*net.TCPConn), &late} }}}
	r := start(t, kind{engine: "goroutines", mode: server.Blocks, network: "tcp"}, srv)
	c := r.client()
	c.expect("+ hello")
	c.say("HOLD\r\n")
	<-h.holding
	c.say("SAY late\r\n")
	r.stop()
	close(h.block)
	c.expect("+ held")
	c.expect("+ late")
	c.expect("* goodbye")
	c.end()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	if !late {
		t.Error("nobody took a last look")
	}
}
