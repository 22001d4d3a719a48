package socket

import (
	"errors"
	"io"
)

// With closes c when use returns, or panics, like Python's with statement:
//
//	conn, _, err := listener.Accept(ctx)
//	if err != nil {
//		return err
//	}
//	return socket.With(conn, func(conn *socket.Sock) error { ... })
//
// The error joins those of use and of Close.
func With[C io.Closer](c C, use func(C) error) (err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	return use(c)
}
