package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/farend-go/farend/dial"
)

// A Plan is what Run does.
type Plan struct {
	Target string       // an endpoint as package dial takes it: tcp: tls: unix: udp:
	Dialer *dial.Dialer // for its TLS; nil: the zero Dialer

	Message      Message      // what is asked again and again
	Conversation Conversation // instead of Message, where asking takes more

	Connections int           // 0: 1
	Duration    time.Duration // 0: until Requests have been sent; 10 s when those are 0 too
	Requests    uint64        // at most; 0: no limit
	Rate        float64       // requests per second, planned; 0: as fast as answers come
	Depth       int           // requests in flight on each connection; 0: 1
	Timeout     time.Duration // of a connect and of a request; 0: 5 s, for datagrams 1 s
	Warmup      time.Duration // before anything counts
	Reconnect   bool          // a new connection for each request, whose time includes connecting

	// Sources are the addresses to connect from, in turn. Without any, and to a
	// peer on IPv4's loopback, there are as many as the connections need.
	Sources []netip.Addr
	// PortsPerSource is how many connections one source address has ports for;
	// 0: what the system says.
	PortsPerSource int

	// Ready is called when the connections are open, before the first request.
	// nil: nobody wants to know.
	Ready func(Setup)
	// Window is called when counting begins (true) and when its time is over
	// (false), for those who measure something else meanwhile. nil: nobody.
	Window func(open bool)

	dial  func(ctx context.Context) (net.Conn, error) // instead of Target, for tests
	sleep func() sleeper
}

// Setup is what Run found when its connections were open.
type Setup struct {
	Connections int          // that are open
	Sources     []netip.Addr // that they were spread over; empty: the system's choice
	Ports       int          // how many source ports one address has; 0: that does not matter
	Short       bool         // there are more connections than source ports, and no addresses to spread them over
}

// A Message is a request and its answer.
type Message struct {
	Send   []byte
	Expect Expect
	// Numbered makes every datagram another one: its first eight bytes are a
	// number, which its answer must have too, so that an answer that comes late
	// is not taken for the next one's. It needs Same and Send of eight bytes.
	Numbered bool
}

// A Conversation is a protocol spoken for the sake of load. Open is called by
// many goroutines at once.
type Conversation interface {
	// Open says what comes before the first request, such as a login, on a
	// connection that is fresh (behind its TLS handshake). Run closes c.
	Open(ctx context.Context, c net.Conn) (Exchanger, error)
}

// An Exchanger has one connection of a Conversation. Its methods are called
// one at a time.
type Exchanger interface {
	// Exchange makes a request and checks the answer: ErrWrong, wrapped, is one
	// that is not right. After an error the connection is closed, and a new
	// one is made. The connection has the request's deadline already.
	Exchange(ctx context.Context) error
}

// check fills the zero values in.
func (p *Plan) check() error {
	if p.Dialer == nil {
		p.Dialer = &dial.Dialer{}
	}
	p.Connections = max(p.Connections, 1)
	p.Depth = max(p.Depth, 1)
	if p.Duration == 0 && p.Requests == 0 {
		p.Duration = 10 * time.Second
	}
	switch {
	case p.Duration < 0 || p.Timeout < 0 || p.Warmup < 0 || p.Rate < 0:
		return errors.New("a time or a rate below zero")
	case p.Rate > 1e9:
		return errors.New("a rate of more than 1e9")
	case p.Depth > maxSlots:
		return fmt.Errorf("a depth of more than %d", maxSlots)
	case p.Conversation != nil:
		if p.Depth > 1 {
			return errors.New("this conversation takes one request at a time: no depth")
		}
		return nil
	}
	m := p.Message
	size := len(m.Send)
	switch {
	case size == 0 && m.Expect.kind == same:
		return errors.New("nothing to send")
	case (m.Expect.kind == exactly || m.Expect.kind == text) && m.Expect.n < 1:
		return errors.New("an answer of no bytes, which nobody can wait for")
	case size > maxMessage || m.Expect.n > maxMessage:
		return fmt.Errorf("a message of more than %d bytes", maxMessage)
	case m.Numbered && (size < numberSize || m.Expect.kind != same):
		return errors.New("a numbered message has eight bytes at least, and expects the same")
	case p.Reconnect && p.Depth > 1:
		return errors.New("a new connection for each request leaves no depth")
	}
	return nil
}

// messages is how a Message is a Conversation, for Reconnect.
type messages struct{ Message }

func (m messages) Open(_ context.Context, c net.Conn) (Exchanger, error) {
	return &messageTalk{c: c, send: m.Send, match: m.Expect.matcher(m.Send), buf: make([]byte, readSize(m.Message, 1))}, nil
}

type messageTalk struct {
	c     net.Conn
	send  []byte
	match matcher
	buf   []byte
}

func (t *messageTalk) Exchange(context.Context) error {
	if len(t.send) > directSize {
		return t.exchangeLarge()
	}
	if _, err := t.c.Write(t.send); err != nil {
		return err
	}
	return t.answer()
}

// exchangeLarge reads while it writes: a peer that cannot send any more does
// not read either.
func (t *messageTalk) exchangeLarge() error {
	wrote := make(chan error, 1)
	go func() {
		_, err := t.c.Write(t.send)
		wrote <- err
	}()
	err := t.answer()
	if err != nil {
		_ = t.c.SetDeadline(time.Unix(1, 0)) // fails only where it is closed
	}
	return errors.Join(err, <-wrote)
}

// answer reads one answer.
func (t *messageTalk) answer() error {
	for {
		n, err := t.c.Read(t.buf)
		done, at := t.match.feed(t.buf[:n])
		switch {
		case at >= 0:
			return wrongAt(t.buf[:n], at)
		case done > 1:
			return errUnasked
		case done == 1:
			return nil
		case err != nil:
			return err
		}
	}
}

// wrongAt says what came instead of the answer.
func wrongAt(b []byte, at int) error {
	return fmt.Errorf("%w: from here on it differs: %q", ErrWrong, b[at:min(len(b), at+32)])
}

// readSize is how large a buffer for answers is worth its memory.
func readSize(m Message, depth int) int {
	n := max(len(m.Send), m.Expect.n)
	return min(max(n*depth, 512), 64<<10)
}
