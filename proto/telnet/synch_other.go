//go:build !unix

package telnet

import "net"

func urgentInline(net.Conn) {}

func sendUrgent(net.Conn, []byte) (ok bool, err error) { return false, nil }
