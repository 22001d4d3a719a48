package conv_test

import (
	"net"
	"testing"

	"github.com/farend-go/farend/conv"
)

// TestCloseDuringUpgrade has a stream closed by another goroutine than the one
// that shakes hands, as a net.Conn may be: the race detector watches.
func TestCloseDuringUpgrade(t *testing.T) {
	for name, tap := range map[string]conv.Tap{"untapped": nil, "tapped": deaf{}} {
		t.Run(name, func(t *testing.T) {
			c, _ := pair(t, conv.Options{Tap: tap})
			shaking, closed := make(chan struct{}), make(chan error, 1)
			stream := c.NetConn()
			go func() {
				<-shaking
				closed <- stream.Close()
			}()
			err := c.Upgrade(t.Context(), func(nc net.Conn) (net.Conn, error) {
				close(shaking)
				return nc, nil
			})
			if err != nil {
				t.Error(err)
			}
			if err := <-closed; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCloseDuringRead has a tapped stream closed while another goroutine reads.
func TestCloseDuringRead(t *testing.T) {
	c, _ := pair(t, conv.Options{Tap: deaf{}})
	stream, read := c.NetConn(), make(chan error, 1)
	go func() {
		_, err := stream.Read(make([]byte, 1))
		read <- err
	}()
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	if err := <-read; err == nil {
		t.Error("it read from a closed stream")
	}
}

// TestCloseUnreadStream has a tap hear the line that was read before there was a
// stream, of which nobody reads.
func TestCloseUnreadStream(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "+-1\r\n")
	line(t, c, "+-1")
	if err := c.NetConn().Close(); err != nil {
		t.Error(err)
	}
	e.want(t, "<+-1\r\n")
}

// deaf hears nothing.
type deaf struct{}

func (deaf) Hear(conv.Utterance) {}
