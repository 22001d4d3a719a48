//go:build !unix

package faults

// noLinger does nothing: package net's connections have SetLinger.
func noLinger(uintptr) {}

// discard cannot tell here whether bytes have come.
func discard(uintptr) {}
