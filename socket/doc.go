// Package socket is BSD sockets for Go, the heir of Python's socket module.
package socket
