package socket

import (
	"iter"
	"net/netip"
	"slices"
)

// BatchOptions of NewRecvBatch and NewSendBatch. The zero value is good.
type BatchOptions struct {
	// Messages is how many messages one system call moves at most; 0: 64.
	Messages int
	// Size is the room for each message received, in bytes; 0: 65535, all that
	// UDP can carry. Memory that no message has needed yet is not touched. With
	// UDP_GRO on a message may be a train of datagrams: less room cuts it.
	Size int
	// NoGSO sends each datagram as a message of its own.
	NoGSO bool
}

func (o BatchOptions) filled() BatchOptions {
	if o.Messages <= 0 {
		o.Messages = 64
	}
	if o.Size <= 0 {
		o.Size = maxDatagram
	}
	return o
}

const maxDatagram = 65535

// A Datagram is one message of a RecvBatch.
type Datagram struct {
	Data []byte         // in the batch's storage: valid until it receives again
	From netip.AddrPort // the sender; zero where it has no IP address
	To   netip.Addr     // the address of ours to reply from, if the socket has IP_PKTINFO or IPV6_RECVPKTINFO on; else zero
	Size int            // 0: Data is one datagram; else it is a train of datagrams of this size, the last perhaps shorter (UDP_GRO)

	Group bool // it was sent to a multicast or broadcast address, as far as To tells
	Short bool // it was longer than Data: MSG_TRUNC
}

// All yields the bytes of each datagram in Data, in the order in which they
// were sent: a train is taken apart. There is always at least one. Their
// capacity is their length.
func (d *Datagram) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := d.Data
		for size := d.Size; size > 0 && len(rest) > size; rest = rest[size:] {
			if !yield(rest[:size:size]) {
				return
			}
		}
		yield(slices.Clip(rest))
	}
}

// Sent is what one sending of a SendBatch did.
type Sent struct {
	Datagrams int // that the kernel took
	Bytes     int // in them
	Lost      int // datagrams that it refused; the error is that of the first
}

func (s *Sent) add(o Sent) {
	s.Datagrams += o.Datagrams
	s.Bytes += o.Bytes
	s.Lost += o.Lost
}
