package socket

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// GetProtoByName gives the number of a protocol ("tcp" is 6), getprotobyname(3),
// from protocols(5) or a built-in table where there is none. The error says that
// the protocol is not known.
func GetProtoByName(name string) (Proto, error) { return (*Resolver)(nil).GetProtoByName(name) }

// GetProtoByName is the function of that name with this resolver's protocols.
func (r *Resolver) GetProtoByName(name string) (Proto, error) {
	for _, p := range r.protocols() {
		if p.name == name || slices.Contains(p.aliases, name) {
			return p.number, nil
		}
	}
	return 0, fmt.Errorf("protocol %q: not known", name)
}

// protocol is one line of protocols(5).
type protocol struct {
	name    string
	number  Proto
	aliases []string
}

func (r *Resolver) protocols() []protocol {
	f, err := os.Open(r.file("protocols"))
	if err != nil {
		return parseProtocols(strings.NewReader(builtinProtocols))
	}
	defer f.Close()
	return parseProtocols(f)
}

func parseProtocols(in io.Reader) []protocol {
	var out []protocol
	for fields := range tableLines(in) {
		if len(fields) < 2 {
			continue
		}
		number, err := strconv.ParseUint(fields[1], 10, 16)
		if err != nil {
			continue
		}
		out = append(out, protocol{fields[0], Proto(number), fields[2:]})
	}
	return out
}

// builtinProtocols are IANA's assigned internet protocol numbers in daily use.
const builtinProtocols = `
ip 0 IP
icmp 1 ICMP
igmp 2 IGMP
ipencap 4 IP-ENCAP
tcp 6 TCP
egp 8 EGP
udp 17 UDP
dccp 33 DCCP
ipv6 41 IPv6
ipv6-route 43 IPv6-Route
ipv6-frag 44 IPv6-Frag
rsvp 46 RSVP
gre 47 GRE
esp 50 IPSEC-ESP
ah 51 IPSEC-AH
ipv6-icmp 58 IPv6-ICMP
ipv6-nonxt 59 IPv6-NoNxt
ipv6-opts 60 IPv6-Opts
ospf 89 OSPFIGP
pim 103 PIM
vrrp 112 VRRP
l2tp 115 L2TP
sctp 132 SCTP
udplite 136 UDPLite
`
