//go:build !windows && !darwin

package socket

// dnsByFile tells whether resolv.conf is what this system's programs go by.
const dnsByFile = true

func systemFile(name string) string { return "/etc/" + name }
