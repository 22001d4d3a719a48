package simple

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/farend-go/farend/server"
)

// daytimeForm is the first of the popular forms in RFC 867.
const daytimeForm = "Monday, January 2, 2006 15:04:05-MST\r\n"

// DaytimeHandler says the time for people, in UTC, and closes (RFC 867). now
// is the clock; nil: time.Now.
func DaytimeHandler(now func() time.Time) server.Handler { return dayClock(now) }

// DaytimePackets answers each datagram with the time (RFC 867).
func DaytimePackets(now func() time.Time) server.PacketHandler { return dayClock(now).packets() }

func dayClock(now func() time.Time) *clock { return &clock{now, appendDay} }

func appendDay(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, daytimeForm) }

// Daytime asks for the time for people: a line in no particular form, given
// without its end.
func Daytime(ctx context.Context, c net.Conn) (string, error) {
	b, err := askTime(ctx, c)
	return strings.TrimRight(string(b), "\r\n"), wrap("daytime", err)
}

// clock says the time at once, in its own way.
type clock struct {
	now   func() time.Time
	write func(b []byte, t time.Time) []byte
}

func (h *clock) Mode() server.Mode { return server.Inline }

func (h *clock) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return hangUp(t.W.Write(h.say()))
}

func (h *clock) packets() server.PacketHandler {
	return answering(func(p *server.Packet) error { return p.Reply(h.say()) })
}

func (h *clock) say() []byte {
	now := time.Now
	if h.now != nil {
		now = h.now
	}
	return h.write(nil, now())
}

// askTime gives what a clock says: to an empty datagram, or by itself.
func askTime(ctx context.Context, c net.Conn) (b []byte, err error) {
	err = within(ctx, c, func() (err error) {
		if isPacket(c) {
			b, err = ask(c, nil)
			return err
		}
		b, err = readAll(c)
		return err
	})
	return b, err
}
