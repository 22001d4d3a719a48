package socket

import (
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TCPState is the state of a TCP connection, RFC 9293 section 3.3.2, by Linux's
// numbers.
type TCPState uint8

// The states of a TCP connection.
const (
	TCP_ESTABLISHED TCPState = iota + 1
	TCP_SYN_SENT
	TCP_SYN_RECV
	TCP_FIN_WAIT1
	TCP_FIN_WAIT2
	TCP_TIME_WAIT
	TCP_CLOSE
	TCP_CLOSE_WAIT
	TCP_LAST_ACK
	TCP_LISTEN
	TCP_CLOSING
	TCP_NEW_SYN_RECV
)

// String is the state as ss(8) and RFC 9293 write it.
func (s TCPState) String() string {
	names := [...]string{
		TCP_ESTABLISHED: "ESTABLISHED", TCP_SYN_SENT: "SYN-SENT", TCP_SYN_RECV: "SYN-RECEIVED",
		TCP_FIN_WAIT1: "FIN-WAIT-1", TCP_FIN_WAIT2: "FIN-WAIT-2", TCP_TIME_WAIT: "TIME-WAIT",
		TCP_CLOSE: "CLOSED", TCP_CLOSE_WAIT: "CLOSE-WAIT", TCP_LAST_ACK: "LAST-ACK", TCP_LISTEN: "LISTEN",
		TCP_CLOSING: "CLOSING", TCP_NEW_SYN_RECV: "SYN-RECEIVED",
	}
	if int(s) < len(names) && names[s] != "" {
		return names[s]
	}
	return strconv.Itoa(int(s))
}

// TCPInfo is struct tcp_info: what the kernel knows of a TCP connection. A kernel
// older than a field leaves it 0. Rates are bytes per second.
type TCPInfo struct {
	State       TCPState
	Retransmits int // of the segment that is now unacknowledged
	Probes      int
	Backoff     int
	Options     uint8 // TCPI_OPT_x: timestamps 1, SACK 2, window scale 4, ECN 8

	RTO, ATO         time.Duration
	RTT, RTTVar      time.Duration
	MinRTT, RcvRTT   time.Duration
	SinceSent        time.Duration // since data was last sent,
	SinceReceived    time.Duration // last received,
	SinceAckReceived time.Duration // and last acknowledged by the peer

	SndMSS, RcvMSS, AdvMSS, PMTU   int // bytes
	SndCwnd, SndSsthresh           int // segments
	SndWnd, RcvWnd, RcvSpace       int // bytes
	Unacked, Sacked, Lost, Retrans int // segments; a listener: waiting connections, and the backlog
	Reordering                     int
	TotalRetrans                   int

	PacingRate, MaxPacingRate, DeliveryRate             uint64
	BytesSent, BytesAcked, BytesReceived, BytesRetrans  uint64
	SegsOut, SegsIn, DataSegsOut, DataSegsIn, Delivered int
	NotSent                                             int // bytes in the queue
	Busy, RwndLimited, SndbufLimited                    time.Duration
}

// infoOption is TCP_INFO.
func infoOption(name string, level, num int) Option[TCPInfo] {
	return Option[TCPInfo]{name, level, num, &codec[TCPInfo]{
		get: func(s *Sock, level, number int) (TCPInfo, error) {
			var raw unix.TCPInfo
			b, err := s.optBytes(level, number, int(unsafe.Sizeof(raw)))
			if err != nil {
				return TCPInfo{}, err
			}
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw)), b)
			return newTCPInfo(&raw), nil
		},
	}}
}

func newTCPInfo(r *unix.TCPInfo) TCPInfo {
	us := func(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }
	ms := func(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
	return TCPInfo{
		State:       TCPState(r.State),
		Retransmits: int(r.Retransmits),
		Probes:      int(r.Probes),
		Backoff:     int(r.Backoff),
		Options:     r.Options,

		RTO: us(r.Rto), ATO: us(r.Ato),
		RTT: us(r.Rtt), RTTVar: us(r.Rttvar),
		MinRTT: us(r.Min_rtt), RcvRTT: us(r.Rcv_rtt),
		SinceSent:        ms(r.Last_data_sent),
		SinceReceived:    ms(r.Last_data_recv),
		SinceAckReceived: ms(r.Last_ack_recv),

		SndMSS: int(r.Snd_mss), RcvMSS: int(r.Rcv_mss), AdvMSS: int(r.Advmss), PMTU: int(r.Pmtu),
		SndCwnd: int(r.Snd_cwnd), SndSsthresh: int(r.Snd_ssthresh),
		SndWnd: int(r.Snd_wnd), RcvWnd: int(r.Rcv_wnd), RcvSpace: int(r.Rcv_space),
		Unacked: int(r.Unacked), Sacked: int(r.Sacked), Lost: int(r.Lost), Retrans: int(r.Retrans),
		Reordering:   int(r.Reordering),
		TotalRetrans: int(r.Total_retrans),

		PacingRate: r.Pacing_rate, MaxPacingRate: r.Max_pacing_rate, DeliveryRate: r.Delivery_rate,
		BytesSent: r.Bytes_sent, BytesAcked: r.Bytes_acked, BytesReceived: r.Bytes_received, BytesRetrans: r.Bytes_retrans,
		SegsOut: int(r.Segs_out), SegsIn: int(r.Segs_in), DataSegsOut: int(r.Data_segs_out),
		DataSegsIn: int(r.Data_segs_in), Delivered: int(r.Delivered),
		NotSent:       int(r.Notsent_bytes),
		Busy:          time.Duration(r.Busy_time) * time.Microsecond,
		RwndLimited:   time.Duration(r.Rwnd_limited) * time.Microsecond,
		SndbufLimited: time.Duration(r.Sndbuf_limited) * time.Microsecond,
	}
}
