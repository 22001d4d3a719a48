package telnet

// followsTLS is the only word of START_TLS (draft-altman-telnet-starttls).
const followsTLS = 1

// onTLS says that TLS comes next: nothing else may be sent after that.
func (n *NVT) onTLS(ours bool) {
	if ours != n.o.Server {
		n.out = n.enc.End(n.out)
		n.Sub(StartTLS, []byte{followsTLS})
		n.last, n.out = n.out, nil
		n.follows[1] = true
	}
}

func (n *NVT) subTLS(b []byte) {
	if len(b) == 1 && b[0] == followsTLS && n.follows[1] {
		n.follows[0] = true
	}
}

// TLSFollows tells that both ends have said so: the handshake is next, and then
// Reset, for what was agreed upon in clear counts no more.
func (n *NVT) TLSFollows() bool { return n.follows[0] && n.follows[1] }
