package socket

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Option is one socket option, setsockopt(2), together with the type of its
// value: SO_REUSEADDR.Set(s, true), TCP_INFO.Get(s). The table of a system's
// options is Options.
//
// ENOPROTOOPT tells that the kernel, or a socket of this kind, has no such
// option; errors.ErrUnsupported that it can only be read, or only be set.
type Option[T any] struct {
	name   string
	level  int
	number int
	codec  *codec[T] // a pointer keeps Options comparable
}

// codec is how values of a type go to the kernel and come from it.
type codec[T any] struct {
	get func(s *Sock, level, number int) (T, error)
	set func(s *Sock, level, number int, v T) error
}

// AnyOption is what all Options share, for tables.
type AnyOption interface {
	Name() string                 // SO_REUSEADDR
	Level() int                   // SOL_SOCKET
	Number() int                  // its number on this system
	String() string               // the name
	Text(s *Sock) (string, error) // the socket's value, to be read by people
}

// Setting is an option with a value, to be set later.
type Setting struct {
	text  string
	apply func(s *Sock) error
}

// Apply sets the option on a socket.
func (v Setting) Apply(s *Sock) error {
	if v.apply == nil {
		return nil
	}
	return v.apply(s)
}

// String is name=value.
func (v Setting) String() string { return v.text }

// Name is the option's name in C.
func (o Option[T]) Name() string { return o.name }

// Level is the level at which the option is set: SOL_SOCKET, SOL_TCP.
func (o Option[T]) Level() int { return o.level }

// Number is the option's number on this system, for GetsockoptInt and the like.
func (o Option[T]) Number() int { return o.number }

// String is the option's name.
func (o Option[T]) String() string { return o.name }

// Get asks the socket for the option's value.
func (o Option[T]) Get(s *Sock) (T, error) {
	if o.codec.get == nil {
		var none T
		return none, s.fail("getsockopt "+o.name, nil, errors.ErrUnsupported)
	}
	v, err := o.codec.get(s, o.level, o.number)
	return v, s.fail("getsockopt "+o.name, nil, err)
}

// Set gives the option a value.
func (o Option[T]) Set(s *Sock, v T) error {
	if o.codec.set == nil {
		return s.fail("setsockopt "+o.name, nil, errors.ErrUnsupported)
	}
	return s.fail("setsockopt "+o.name, nil, o.codec.set(s, o.level, o.number, v))
}

// Value is the option with a value, for ServerConfig and the like.
func (o Option[T]) Value(v T) Setting {
	return Setting{
		text:  fmt.Sprintf("%s=%v", o.name, v),
		apply: func(s *Sock) error { return o.Set(s, v) },
	}
}

// Text is Get in words.
func (o Option[T]) Text(s *Sock) (string, error) {
	v, err := o.Get(s)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// GetsockoptInt reads an option by its numbers, as Python's
// getsockopt(level, option).
func (s *Sock) GetsockoptInt(level, option int) (int, error) {
	v, err := s.optInt(level, option)
	return v, s.fail("getsockopt", nil, err)
}

// GetsockoptBytes reads at most size bytes of an option, as Python's
// getsockopt(level, option, size).
func (s *Sock) GetsockoptBytes(level, option, size int) ([]byte, error) {
	v, err := s.optBytes(level, option, size)
	return v, s.fail("getsockopt", nil, err)
}

// SetsockoptInt sets an option by its numbers, as Python's
// setsockopt(level, option, value).
func (s *Sock) SetsockoptInt(level, option, value int) error {
	return s.fail("setsockopt", nil, s.setOptInt(level, option, value))
}

// SetsockoptBytes sets an option to a structure in the kernel's layout, as
// Python's setsockopt(level, option, buffer).
func (s *Sock) SetsockoptBytes(level, option int, value []byte) error {
	return s.fail("setsockopt", nil, s.setOptBytes(level, option, value))
}

// Linger is the value of SO_LINGER: with On, Close waits in the background for
// unsent data this long, in whole seconds; with 0 seconds it throws the data away
// and resets the connection (RST).
type Linger struct {
	On      bool
	Timeout time.Duration
}

// The kinds that every system has.

// intOption is an int.
func intOption[T ~int](name string, level, num int) Option[T] {
	return Option[T]{name, level, num, &codec[T]{
		get: func(s *Sock, level, number int) (T, error) {
			v, err := s.optInt(level, number)
			return T(v), err
		},
		set: func(s *Sock, level, number int, v T) error {
			return s.setOptInt(level, number, int(v))
		},
	}}
}

// boolOption is an int that is 0 or not.
func boolOption(name string, level, num int) Option[bool] {
	return Option[bool]{name, level, num, &codec[bool]{
		get: func(s *Sock, level, number int) (bool, error) {
			v, err := s.optInt(level, number)
			return v != 0, err
		},
		set: func(s *Sock, level, number int, v bool) error {
			n := 0
			if v {
				n = 1
			}
			return s.setOptInt(level, number, n)
		},
	}}
}

// timeOption is a time in an int of units.
func timeOption(name string, level, num int, unit time.Duration) Option[time.Duration] {
	return Option[time.Duration]{name, level, num, &codec[time.Duration]{
		get: func(s *Sock, level, number int) (time.Duration, error) {
			v, err := s.optInt(level, number)
			return time.Duration(v) * unit, err
		},
		set: func(s *Sock, level, number int, v time.Duration) error {
			return s.setOptInt(level, number, roundUp(v, unit))
		},
	}}
}

// roundUp is v in units; a part of a unit counts as one, so that a short time
// does not become none.
func roundUp(v, unit time.Duration) int { return int((v + unit - 1) / unit) }

// readOnly takes the set away.
func readOnly[T any](o Option[T]) Option[T] {
	o.codec = &codec[T]{get: o.codec.get}
	return o
}

// writeOnly takes the get away.
func writeOnly[T any](o Option[T]) Option[T] {
	o.codec = &codec[T]{set: o.codec.set}
	return o
}

// errorOption is SO_ERROR: the error that a connection left behind, or nil.
func errorOption(name string, level, num int) Option[error] {
	return Option[error]{name, level, num, &codec[error]{
		get: func(s *Sock, level, number int) (error, error) {
			v, err := s.optInt(level, number)
			if v == 0 || err != nil {
				return nil, err
			}
			return syscall.Errno(v), nil
		},
	}}
}
