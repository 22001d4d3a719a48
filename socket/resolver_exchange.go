package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// exchange asks the servers in turn until one answers with more than a failure.
// The answer holds, or the name does not exist (EAI_NONAME), or all servers
// failed or kept silent (EAI_AGAIN).
func (r *Resolver) exchange(ctx context.Context, config dnsConfig, full string, t dnsmessage.Type) (*dnsmessage.Message, error) {
	name, err := dnsmessage.NewName(full)
	if err != nil {
		return nil, EAI_NONAME
	}
	question := dnsmessage.Question{Name: name, Type: t, Class: dnsmessage.ClassINET}
	servers := config.servers
	if config.rotate {
		servers = slices.Clone(servers)
		rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	}
	failure := error(EAI_AGAIN)
	for range config.attempts {
		for _, server := range servers {
			msg, err := r.ask(ctx, config.timeout, server, question)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				if !errors.Is(failure, errServerFailed) {
					failure = fmt.Errorf("%w (name server %v: %w)", EAI_AGAIN, server, err)
				}
				continue
			}
			switch {
			case msg.RCode == dnsmessage.RCodeSuccess && !lame(msg):
				return msg, nil
			case msg.RCode == dnsmessage.RCodeNameError:
				return nil, EAI_NONAME
			}
			failure = errServerFailed
		}
	}
	return nil, failure
}

// lame tells that a server neither knows the name nor asks others for it.
func lame(msg *dnsmessage.Message) bool {
	return len(msg.Answers) == 0 && !msg.Authoritative && !msg.RecursionAvailable
}

// ask puts one question to one server, by UDP and, if the answer did not fit, by
// TCP (RFC 1035 section 4.2, RFC 7766).
func (r *Resolver) ask(ctx context.Context, timeout time.Duration, server netip.AddrPort, q dnsmessage.Question) (*dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	msg, err := r.askBy(ctx, "udp", server, q)
	if err != nil || !msg.Truncated {
		return msg, err
	}
	return r.askBy(ctx, "tcp", server, q)
}

func (r *Resolver) askBy(ctx context.Context, network string, server netip.AddrPort, q dnsmessage.Question) (*dnsmessage.Message, error) {
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{q},
	}
	packet, err := query.Pack()
	if err != nil {
		return nil, err
	}
	dial := (&net.Dialer{}).DialContext
	if r != nil && r.Dial != nil {
		dial = r.Dial
	}
	conn, err := dial(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// The deadline serves cancelling too: it is moved into the past.
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		return askStream(conn, packet, query)
	}
	return askPacket(conn, packet, query)
}

// askPacket passes over answers that are not to this question: late ones, and
// forged ones.
func askPacket(conn net.Conn, packet []byte, query dnsmessage.Message) (*dnsmessage.Message, error) {
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	buf := make([]byte, 65535)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if msg, ok := answerTo(query, buf[:n]); ok {
			return msg, nil
		}
	}
}

func askStream(conn net.Conn, packet []byte, query dnsmessage.Message) (*dnsmessage.Message, error) {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(packet)))
	if _, err := conn.Write(append(framed, packet...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	if msg, ok := answerTo(query, buf); ok {
		return msg, nil
	}
	return nil, errors.New("not an answer to the question")
}

// answerTo reads an answer and tells whether it is one to the query. Of a
// truncated one, or one that says no, only the header and question need be sound.
func answerTo(query dnsmessage.Message, packet []byte) (*dnsmessage.Message, bool) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil || !header.Response || header.ID != query.ID {
		return nil, false
	}
	msg := &dnsmessage.Message{Header: header}
	msg.Questions, err = p.AllQuestions()
	if err != nil || len(msg.Questions) != 1 {
		return nil, false
	}
	q, asked := msg.Questions[0], query.Questions[0]
	if q.Type != asked.Type || q.Class != asked.Class || !sameName(q.Name, asked.Name) {
		return nil, false
	}
	if header.Truncated || header.RCode != dnsmessage.RCodeSuccess {
		return msg, true
	}
	msg.Answers, err = p.AllAnswers()
	return msg, err == nil
}
