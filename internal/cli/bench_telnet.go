package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/proto/telnet"
)

// timingMarks asks a Telnet server again and again whether it has dealt with
// all that came before, which every server answers, logged in or not (RFC 860).
type timingMarks struct{}

// benchMarks is telnet and telnets.
func benchMarks(p *load.Plan, m *benchMessage) error {
	if m.send != "" || m.size != 0 || m.expect != "" {
		return fmt.Errorf("--as %s asks for timing marks: --send, --size and --expect have no meaning", m.as)
	}
	p.Conversation = timingMarks{}
	return nil
}

// errMark ends a read: the mark has come back.
var errMark = errors.New("the mark is here")

func (timingMarks) Open(_ context.Context, c net.Conn) (load.Exchanger, error) {
	heard := func(e telnet.Event) error {
		if e.Kind == telnet.Changed && e.Option == telnet.TimingMark {
			return errMark
		}
		return nil
	}
	return &timingMark{c: telnet.NewClient(conv.New(c, conv.Options{}), telnet.ClientOptions{Notify: heard})}, nil
}

type timingMark struct {
	c   *telnet.Client
	buf [4096]byte
}

// Exchange reads on until the mark is here; what the server says to its user
// goes.
func (t *timingMark) Exchange(context.Context) error {
	err := t.c.Do(func(n *telnet.NVT) { _ = n.Ask(telnet.DO, telnet.TimingMark) }) // it is a question
	for err == nil {
		_, err = t.c.Read(t.buf[:])
	}
	if errors.Is(err, errMark) {
		return nil
	}
	return err
}
