//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: this needs Linux: it reads other processes' clocks, and pins them to cores")
	os.Exit(1)
}
