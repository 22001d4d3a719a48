package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// Control is one control message, Python's (cmsg_level, cmsg_type, cmsg_data) of
// sendmsg and recvmsg: descriptors, credentials, a packet's interface or its time
// of arrival. Data is in the kernel's layout.
type Control struct {
	Level int // SOL_SOCKET, SOL_IP, ...
	Type  int // at SOL_SOCKET an SCM_x; elsewhere the number of the option that asked for it
	Data  []byte
}

// Rights is the control message that passes descriptors, SCM_RIGHTS of unix(7).
// They stay the sender's, who may close them once the message is sent.
func Rights(fds ...int) Control {
	c := Control{Level: SOL_SOCKET, Type: scmRights}
	for _, fd := range fds {
		c.Data = binary.NativeEndian.AppendUint32(c.Data, uint32(fd))
	}
	return c
}

// Rights is the descriptors that the control message passes, if it is of that
// kind. They are the receiver's now, closed on exec; who receives them closes
// them.
func (c Control) Rights() ([]int, bool) {
	if c.Level != SOL_SOCKET || c.Type != scmRights {
		return nil, false
	}
	fds := make([]int, 0, len(c.Data)/4)
	for b := c.Data; len(b) >= 4; b = b[4:] {
		fds = append(fds, int(int32(binary.NativeEndian.Uint32(b))))
	}
	return fds, true
}

// Message is what RecvMsg received.
type Message struct {
	N       int       // bytes in the buffers
	Control []Control // control messages, in the kernel's order
	Flags   Flag      // MSG_TRUNC and MSG_CTRUNC: data or control data was cut; MSG_OOB, MSG_EOR, MSG_ERRQUEUE
	From    Addr      // the sender; nil where the kernel has none
}

// RecvMsg receives into several buffers, one after the other, and as much control
// data as fits in room bytes (CMSG_SPACE tells how much a message needs),
// recvmsg(2), Python's recvmsg_into. At the end of a stream it returns io.EOF.
//
// What was cut is told by Flags alone, not by an error. Descriptors among the
// control messages are the caller's to close, whatever Flags say.
func (s *Sock) RecvMsg(ctx context.Context, bufs [][]byte, room int, flags ...Flag) (Message, error) {
	var control []byte
	if room > 0 {
		control = make([]byte, room)
	}
	r, err := s.receive(ctx, bufs, control, union(flags), true)
	if err != nil && (err != io.EOF || r.nControl == 0) {
		return Message{}, s.received("recvmsg", r, MSG_TRUNC, err)
	}
	m := Message{N: r.n, Flags: r.flags, From: r.from}
	m.Control, err = parseControl(control[:min(r.nControl, len(control))])
	return m, s.fail("recvmsg", nil, err)
}

// SendMsg sends several buffers as one message, with control messages, to an
// address or (nil) to the peer, sendmsg(2). It returns how many bytes went: of a
// stream perhaps not all. A stream needs at least one byte to carry control
// messages.
func (s *Sock) SendMsg(ctx context.Context, bufs [][]byte, control []Control, to Address, flags ...Flag) (int, error) {
	packed, err := appendControl(nil, control)
	if err != nil {
		return 0, s.fail("sendmsg", nil, err)
	}
	if to == nil {
		n, err := s.send(ctx, bufs, packed, nil, union(flags))
		return n, s.fail("sendmsg", nil, err)
	}
	a, err := s.first(ctx, to)
	if err != nil {
		return 0, s.fail("sendmsg", nil, err)
	}
	n, err := s.send(ctx, bufs, packed, a, union(flags))
	return n, s.fail("sendmsg", a, err)
}

// SendFDs sends p (at least one byte) and with it descriptors, Python's send_fds,
// over a Unix socket. It returns how many bytes of p went; the descriptors went
// with the first. They stay the caller's too.
func (s *Sock) SendFDs(ctx context.Context, p []byte, fds []int) (int, error) {
	return s.SendMsg(ctx, [][]byte{p}, []Control{Rights(fds...)}, nil)
}

// RecvFDs receives into p and with it at most limit descriptors, Python's
// recv_fds. The caller closes them. If more were sent they are lost, and the
// error is ErrTruncated beside those that came; so it is for a datagram longer
// than p.
func (s *Sock) RecvFDs(ctx context.Context, p []byte, limit int) (n int, fds []int, err error) {
	m, err := s.RecvMsg(ctx, [][]byte{p}, CMSG_SPACE(4*max(limit, 0)))
	if err != nil {
		return 0, nil, err
	}
	for _, c := range m.Control {
		if passed, ok := c.Rights(); ok {
			fds = append(fds, passed...)
		}
	}
	// The room is rounded up, so that one more may have come than was asked for.
	for len(fds) > limit {
		last := len(fds) - 1
		err = errors.Join(err, closeFD(fds[last]))
		fds, m.Flags = fds[:last], m.Flags|MSG_CTRUNC
	}
	if m.Flags&(MSG_TRUNC|MSG_CTRUNC) != 0 {
		err = errors.Join(ErrTruncated, err)
	}
	return m.N, fds, s.fail("recvfds", nil, err)
}
