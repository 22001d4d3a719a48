package ftp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/farend-go/farend/conv"
)

// handshakeLimit bounds a handshake on a running session.
const handshakeLimit = 10 * time.Second

// errReuse is a data connection whose TLS session is not the control
// connection's.
var errReuse = errors.New("ftp: TLS session of the data connection was not resumed from this control connection")

// secured is the TLS side of a session: whatever ticket is given out on its
// control connection or on one of its data connections bears its mark, and a
// data connection resumes only by such a ticket. So nobody else can take up a
// data connection in the client's name (RFC 4217 section 15.2.2).
type secured struct {
	base   *tls.Config // for its ticket keys
	mark   []byte
	conn   *tls.Conn // the control connection; nil after CCC
	record *recordConn
}

func newSecured(cfg *tls.Config) *secured {
	s := &secured{base: cfg.Clone(), mark: make([]byte, 16)}
	_, _ = rand.Read(s.mark) // never fails
	s.base.SessionTicketsDisabled = false
	return s
}

// control is the configuration of the control connection: its own handshake is
// always whole, so that TLS 1.2, which gives no new ticket on resumption, marks
// one too.
func (s *secured) control() *tls.Config {
	return s.bound(s.base, func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil })
}

// data is the configuration of a data connection.
func (s *secured) data() *tls.Config {
	return s.bound(s.base, func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		state, err := s.base.DecryptTicket(ticket, cs)
		if err != nil || state == nil {
			return nil, err
		}
		for _, extra := range state.Extra {
			if subtle.ConstantTimeCompare(extra, s.mark) == 1 {
				return state, nil
			}
		}
		return nil, nil // somebody else's: a whole handshake
	})
}

func (s *secured) bound(cfg *tls.Config, unwrap func([]byte, tls.ConnectionState) (*tls.SessionState, error)) *tls.Config {
	cfg = cfg.Clone()
	cfg.UnwrapSession = unwrap
	cfg.WrapSession = func(cs tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
		state.Extra = append(state.Extra, s.mark)
		return s.base.EncryptTicket(cs, state)
	}
	if choose := cfg.GetConfigForClient; choose != nil {
		cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return chosen, err
			}
			chosen = chosen.Clone()
			chosen.GetConfigForClient = nil
			return s.bound(chosen, unwrap), nil
		}
	}
	return cfg
}

// upgrader is what a server's Talk and a client's Conn have in common.
type upgrader interface {
	Upgrade(ctx context.Context, wrap func(net.Conn) (net.Conn, error)) error
}

// shake begins TLS on a control connection, over a layer that hands over one
// record at most, so that it can end again (CCC).
func (s *secured) shake(ctx context.Context, c upgrader, over func(net.Conn) *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	return c.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		s.record = &recordConn{Conn: below}
		s.conn = over(s.record)
		return s.conn, s.conn.HandshakeContext(ctx)
	})
}

// clear ends TLS on a control connection in good order: both sides say so, then
// the connection goes on in clear (RFC 4217 section 12.3).
func (s *secured) clear(ctx context.Context, c upgrader) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	return c.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		if err := s.conn.CloseWrite(); err != nil {
			return nil, err
		}
		s.record.ending = true
		var b [1]byte
		if n, err := below.Read(b[:]); n > 0 {
			return nil, conv.ErrEarly
		} else if err != io.EOF {
			return nil, err
		}
		s.record.clear = true
		s.conn = nil
		return s.record, nil
	})
}

// recordConn hands over at most the rest of one TLS record a read.
type recordConn struct {
	net.Conn
	clear  bool // there are no records any more
	ending bool // our side has said that it ends TLS
	early  []byte
	header [5]byte
	got    int // bytes of the header
	left   int // bytes of the record's body that are to come
}

func (r *recordConn) Read(p []byte) (int, error) {
	if len(r.early) > 0 && r.clear {
		n := copy(p, r.early)
		r.early = r.early[n:]
		return n, nil
	}
	if r.clear {
		return r.Conn.Read(p)
	}
	if r.got < len(r.header) {
		n, err := r.Conn.Read(p[:min(len(p), len(r.header)-r.got)])
		if n > 0 && r.ending && r.got == 0 && isLetter(p[0]) { // curl goes on in clear without a word: no record begins so
			r.early = append(r.early, p[:n]...)
			return 0, io.EOF
		}
		r.got += copy(r.header[r.got:], p[:n])
		if r.got == len(r.header) {
			r.body(int(binary.BigEndian.Uint16(r.header[3:])))
		}
		return n, err
	}
	n, err := r.Conn.Read(p[:min(len(p), r.left)])
	r.body(r.left - n)
	return n, err
}

// body notes how much of the record is left.
func (r *recordConn) body(left int) {
	if r.left = left; left == 0 {
		r.got = 0
	}
}
