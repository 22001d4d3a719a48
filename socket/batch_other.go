//go:build !linux

package socket

import (
	"context"
	"net/netip"
)

// RecvBatch is room for one message here: many at once are Linux's.
type RecvBatch struct {
	memory []byte
	one    Datagram
	n      int
}

// NewRecvBatch makes a batch.
func NewRecvBatch(o BatchOptions) *RecvBatch {
	return &RecvBatch{memory: make([]byte, o.filled().Size)}
}

// Len is how many messages the last call received.
func (b *RecvBatch) Len() int { return b.n }

// At is message i of the last call.
func (b *RecvBatch) At(i int) Datagram { return []Datagram{b.one}[:b.n][i] }

// RecvBatch receives one datagram; see Linux's.
func (s *Sock) RecvBatch(ctx context.Context, b *RecvBatch, flags ...Flag) (int, error) {
	b.n = 0
	r, err := s.receiveInto(ctx, b.memory, union(flags), true)
	if err != nil {
		return 0, s.fail("recvfrom", nil, err)
	}
	b.one = Datagram{Data: b.memory[:min(r.n, len(b.memory))], Short: r.flags&MSG_TRUNC != 0}
	if from, ok := r.from.(InetAddr); ok {
		b.one.From = from.AddrPort
	}
	b.n = 1
	return 1, nil
}

// SendBatch gathers datagrams, which leave one by one here.
type SendBatch struct {
	waiting []outgoing
	room    int
	next    int
}

type outgoing struct {
	data []byte
	to   netip.AddrPort
}

// NewSendBatch makes a batch for sockets of this family, AF_INET or AF_INET6.
func NewSendBatch(_ Family, o BatchOptions) *SendBatch {
	return &SendBatch{room: o.filled().Messages}
}

// Len is how many messages wait to be sent.
func (b *SendBatch) Len() int { return len(b.waiting) - b.next }

// Discard empties the batch without sending, and tells in Lost how many
// datagrams those were.
func (b *SendBatch) Discard() Sent {
	lost := b.Len()
	b.waiting, b.next = b.waiting[:0], 0
	return Sent{Lost: lost}
}

// Add puts a datagram into the batch; false: it is full and must be sent first.
// p is not copied: it must not change before it is sent. The zero to is the
// peer of a connected socket. From is for Linux alone.
func (b *SendBatch) Add(p []byte, to netip.AddrPort, _ netip.Addr) bool {
	if len(b.waiting) == b.room {
		return false
	}
	b.waiting = append(b.waiting, outgoing{p, to})
	return true
}

// SendBatch sends what b holds, and empties it. Datagrams that the system
// refuses stop no others: they are counted, and the error is that of the first.
// When ctx ends, the rest stays in b.
func (s *Sock) SendBatch(ctx context.Context, b *SendBatch) (Sent, error) {
	var sent Sent
	var refused error
	for ; b.next < len(b.waiting); b.next++ {
		o := b.waiting[b.next]
		var to Addr
		if o.to.IsValid() {
			to = InetAddr{AddrPort: o.to}
		}
		n, err := s.sendFrom(ctx, o.data, to, 0)
		switch {
		case err == nil:
			sent.add(Sent{Datagrams: 1, Bytes: n})
			continue
		case ctx.Err() != nil:
			return sent, s.fail("sendto", nil, err)
		}
		sent.Lost++
		if refused == nil {
			refused = err
		}
	}
	b.waiting, b.next = b.waiting[:0], 0
	return sent, s.fail("sendto", nil, refused)
}
