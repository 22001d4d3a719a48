package auth

// Offenders is how many peers are remembered.
func (a *Authenticator) Offenders() int {
	a.throttle.mu.Lock()
	defer a.throttle.mu.Unlock()
	return len(a.throttle.peers)
}
