package simple

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"github.com/farend-go/farend/server"
)

// since1900 is how many seconds passed from the beginning of 1900 to Unix's
// epoch (RFC 868).
const since1900 = 2208988800

// TimeHandler says the seconds since 1900 in 32 bits, most significant byte
// first, and closes (RFC 868). The count begins anew on 7 February 2036 at
// 06:28:16 UTC. now is the clock; nil: time.Now.
func TimeHandler(now func() time.Time) server.Handler { return timeClock(now) }

// TimePackets answers each datagram with the time (RFC 868).
func TimePackets(now func() time.Time) server.PacketHandler { return timeClock(now).packets() }

func timeClock(now func() time.Time) *clock { return &clock{now, appendTime} }

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(t.Unix()+since1900)) //nolint:gosec // it wraps, as it is meant to
}

// parseTime reads the 32 bits. Those with the first bit set lie in 1968 to
// 2036, the others in 2036 to 2104 (RFC 4330, section 3).
func parseTime(b []byte) (time.Time, error) {
	if len(b) != 4 {
		return time.Time{}, fmt.Errorf("%d bytes instead of 4", len(b))
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n < 1<<31 {
		n += 1 << 32
	}
	return time.Unix(n-since1900, 0).UTC(), nil
}

// Time asks for the time for machines, which is true to the second.
func Time(ctx context.Context, c net.Conn) (time.Time, error) {
	b, err := askTime(ctx, c)
	if err != nil {
		return time.Time{}, wrap("time", err)
	}
	t, err := parseTime(b)
	return t, wrap("time", err)
}
