//go:build !linux

package server

import "context"

// msgTrunc is no flag where it is not known.
const msgTrunc = 0

// serveBatches leaves every socket to the simple loop.
func (*packets) serveBatches(context.Context) (served bool, err error) { return false, nil }
