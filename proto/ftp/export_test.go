package ftp

// SwapSessions gives b what a has of TLS sessions, as a thief of a's ticket.
func SwapSessions(a, b *Client) {
	b.cfg = b.cfg.Clone()
	b.cfg.ClientSessionCache = a.cfg.ClientSessionCache
}
