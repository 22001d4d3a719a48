//go:build !linux

package cli

// hasAutobind tells that a Unix datagram socket gets a name to be answered at.
const hasAutobind = false
