package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// idFor names a socket for the process that takes our place: the same command
// line and file give the same names. A name has no colon (see server.Handover).
func (a *App) idFor(s Service, at Address, network string) string {
	const longest = 200
	id := s.Name + "-" + url.QueryEscape(network) + "-" + url.QueryEscape(at.String())
	id = id[:min(len(id), longest)]
	a.ids[id]++
	if n := a.ids[id]; n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	return id
}

// bindInherited takes the inherited sockets that at names: a stream's, a
// datagram socket, or both, whichever there are.
func (a *App) bindInherited(ctx context.Context, s Service, at Address, networks, ids []string) ([]*listener, error) {
	var bound []*listener
	var first error
	for i, network := range networks {
		l, err := a.openInherited(ctx, at.Inherited, network, ids[i])
		if err == nil {
			l.Name = s.Name
			bound = append(bound, l)
		} else if first == nil {
			first = err
		}
	}
	if len(bound) == 0 {
		return nil, fmt.Errorf("listening for %s: %w", s.Name, first)
	}
	return bound, nil
}

// openInherited is open for inherited sockets. After a hand-over the names and
// the numbers of before mean nothing any more: only the id does.
func (a *App) openInherited(ctx context.Context, address, network, id string) (*listener, error) {
	if a.cfg.Inherited != nil && a.cfg.Inherited.HandedOver() && !a.wasHanded(id) {
		return nil, fmt.Errorf("listen %s: the process before did not have it", address)
	}
	return a.open(ctx, address, network, id)
}

// tellUnclaimed says which of the supervisor's sockets nobody listens on: the
// units of systemd and the command line have to agree.
func (a *App) tellUnclaimed() {
	in := a.cfg.Inherited
	if in == nil || in.HandedOver() {
		return
	}
	var out []string
	for _, name := range in.Names() {
		claimed := func(p Place) bool {
			at := p.Address.Inherited
			return at == "systemd:" || at == "systemd:"+name || strings.HasPrefix(at, "fd:")
		}
		if !slices.ContainsFunc(a.cfg.Listen, claimed) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) > 0 {
		a.notice(fmt.Sprintf("nobody serves the inherited sockets %s (--listen SERVICE=systemd:%s)", strings.Join(out, ", "), out[0]))
	}
}

// wasHanded tells whether the predecessor handed a socket of this name over.
func (a *App) wasHanded(id string) bool {
	in := a.cfg.Inherited
	return in != nil && in.HandedOver() && slices.Contains(in.Names(), id)
}

// ownPath has the path of a Unix socket that was handed over removed at the
// end, unless it is handed over again. A socket that was bound here does so by
// itself.
func (a *App) ownPath(path, id string) {
	if strings.HasPrefix(path, "@") || !a.wasHanded(id) {
		return
	}
	a.cleanups = append(a.cleanups, func() {
		a.handing.Lock()
		defer a.handing.Unlock()
		select {
		case <-a.handed:
		default:
			_ = os.Remove(path)
		}
	})
}

// keep has the socket of l handed over one day.
func (a *App) keep(l *listener) error {
	if a.cfg.Handover == nil {
		return nil
	}
	if l.packets != nil {
		pc, err := a.cfg.Handover.KeepPacket(l.id, l.packets)
		if err == nil {
			l.packets = pc
		}
		return err
	}
	streams, err := a.cfg.Handover.Keep(l.id, l.streams)
	if err == nil {
		l.streams = streams
	}
	return err
}
