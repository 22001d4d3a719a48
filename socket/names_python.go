package socket

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Repr writes bytes as Python 3 does: b'...', in double quotes if there is a
// single quote and no double one inside.
func Repr(b []byte) string {
	quote := quoteFor(string(b))
	out := []byte{'b', quote}
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c < ' ' || c >= 0x7f:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

func quoteFor(s string) byte {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

// reprString writes text as Python 3 writes a str. Bytes that are not UTF-8
// stand as the surrogates that Python decodes file names with (PEP 383).
func reprString(s string) string {
	quote := quoteFor(s)
	out := []byte{quote}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\udc%02x`, s[i])
		case r == rune(quote) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r < 0x100:
			out = fmt.Appendf(out, `\x%02x`, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = fmt.Appendf(out, `\U%08x`, r)
		}
		i += size
	}
	return string(append(out, quote))
}

// Tuple writes an address as Python's tutorials print it: ('127.0.0.1', 48437);
// with flow and scope for IPv6, ('::1', 48437, 0, 0); a Unix path in quotes, an
// abstract name as bytes; another family as its number and bytes. It takes the
// addresses of package net too; any other kind is given as quoted text. Go keeps
// an IPv4 peer of a dual-stack listener in mapped form, which of net's addresses
// is written as IPv4.
func Tuple(a net.Addr) string {
	switch v := a.(type) {
	case nil:
		return "None"
	case InetAddr:
		return inetTuple(v)
	case *net.TCPAddr:
		return netTuple(v.AddrPort())
	case *net.UDPAddr:
		return netTuple(v.AddrPort())
	case *net.IPAddr:
		addr, _ := netip.AddrFromSlice(v.IP)
		return netTuple(netip.AddrPortFrom(addr.Unmap().WithZone(v.Zone), 0))
	case UnixAddr:
		return unixTuple(v)
	case *net.UnixAddr:
		if v.Name == "@" { // what Go calls a peer without a name, whose address is empty
			return unixTuple(UnixAddr{})
		}
		addr, _ := Path(v.Name).(UnixAddr)
		return unixTuple(addr)
	case RawAddr:
		return fmt.Sprintf("(%d, %s)", int(v.Fam), Repr(v.Bytes))
	}
	return reprString(a.String())
}

func unixTuple(a UnixAddr) string {
	if a.Abstract() {
		return Repr([]byte(a.Name))
	}
	return reprString(a.Name)
}

func netTuple(a netip.AddrPort) string {
	return inetTuple(InetAddr{AddrPort: netip.AddrPortFrom(a.Addr().Unmap(), a.Port())})
}

func inetTuple(a InetAddr) string {
	switch a.Family() {
	case AF_INET:
		return fmt.Sprintf("('%v', %d)", a.Addr(), a.Port())
	case AF_INET6:
		return fmt.Sprintf("('%s', %d, %d, %d)", ntop(a.Addr()), a.Port(), a.Flow, a.ScopeID())
	}
	return "None"
}

// Tuple writes the entry as the tutorials' name look-up prints it, numbers and
// all: (2, 1, 6, ”, ('94.130.81.180', 80)).
func (i AddrInfo) Tuple() string {
	return i.layout().String()
}

func (i AddrInfo) layout() layout {
	number := func(n int) layout { return layout{leaf: strconv.Itoa(n)} }
	addr := []layout{{leaf: reprString(ntop(i.Addr.Addr()))}, number(int(i.Addr.Port()))}
	if i.Addr.Family() == AF_INET6 {
		addr = append(addr, number(int(i.Addr.Flow)), number(int(i.Addr.ScopeID())))
	}
	return layout{open: "(", parts: []layout{
		number(int(i.Family)), number(int(i.Type)), number(int(i.Proto)),
		{leaf: reprString(i.CanonName)}, {open: "(", parts: addr, shut: ")"},
	}, shut: ")"}
}

// TupleList writes GetAddrInfo's answer as Python's pprint writes the list of
// tuples: on one line if it fits into 80 columns, else a tuple a line. There is
// no newline at the end.
func TupleList(infos []AddrInfo) string {
	list := layout{open: "[", shut: "]"}
	for _, i := range infos {
		list.parts = append(list.parts, i.layout())
	}
	var b strings.Builder
	list.print(&b, 0, 0)
	return b.String()
}

// layout is a value of Python's to be printed: text, or parts in brackets.
type layout struct {
	leaf, open, shut string
	parts            []layout
}

func (l layout) String() string {
	if l.open == "" {
		return l.leaf
	}
	texts := make([]string, 0, len(l.parts))
	for _, p := range l.parts {
		texts = append(texts, p.String())
	}
	return l.open + strings.Join(texts, ", ") + l.shut
}

// print breaks what does not fit between the indent and the room that whatever
// follows on the line needs.
func (l layout) print(b *strings.Builder, indent, follows int) {
	const width = 80
	whole := l.String()
	if l.open == "" || utf8.RuneCountInString(whole) <= width-indent-follows {
		b.WriteString(whole)
		return
	}
	b.WriteString(l.open)
	for i, p := range l.parts {
		after := 1 // the comma
		if i == len(l.parts)-1 {
			after = follows + len(l.shut)
		}
		if i > 0 {
			b.WriteString(",\n" + strings.Repeat(" ", indent+1))
		}
		p.print(b, indent+1, after)
	}
	b.WriteString(l.shut)
}
