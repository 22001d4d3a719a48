//go:build !linux

package server

import "os"

func duplicate(any) (int, error) { return -1, errInherited() }

func start([]string, []string, []kept, *os.File) (*os.Process, error) { return nil, errInherited() }

func monotonicMicros() string { return "0" }
