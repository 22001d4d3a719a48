package simple

import (
	"context"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// endless is a Port on which the same bytes come for ever.
type endless struct {
	in, out [512]byte
	sent    int
}

func (p *endless) Recv(b []byte) (int, error) { return copy(b, p.in[:]), nil }
func (p *endless) Send(b []byte) error        { p.sent += len(b); return nil }
func (p *endless) Wait() error                { return nil }
func (p *endless) LendIn() []byte             { return nil }
func (p *endless) LendOut() []byte            { return p.out[:0] }
func (p *endless) Unlend([]byte)              {}

var _ conv.Port = (*endless)(nil)

// What a Turn of echo costs is what every engine is measured by.
func TestEchoTurnAllocatesNothing(t *testing.T) {
	p := &endless{}
	talk := &server.Talk{}
	talk.Init(p, wire.DefaultLine, nil)
	s, err := echo{}.Open(t.Context(), talk)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	n := testing.AllocsPerRun(1000, func() {
		if err := s.Turn(ctx); err != nil {
			t.Fatal(err)
		}
		if err := talk.W.Flush(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for each Turn", n)
	}
	if p.sent < 512*1000 {
		t.Errorf("only %d bytes were sent", p.sent)
	}
}
