package telnet_test

import (
	"math/rand/v2"
	"testing"

	"github.com/farend-go/farend/proto/telnet"
)

// BenchmarkCodec sends random bytes, one in 256 of which is 255, through both
// halves of the codec.
func BenchmarkCodec(b *testing.B) {
	data := make([]byte, 64<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	var (
		e   telnet.Encoder
		d   telnet.Decoder
		out []byte
	)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		out = e.Append(out[:0], data)
		for ev, rest := d.Next(out); ev.Kind != telnet.Nothing; ev, rest = d.Next(rest) {
			_ = ev.Data
		}
	}
}
