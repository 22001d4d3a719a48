package transfer

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrName is a name from the network under which nothing is written here.
var ErrName = errors.New("no name for a file here")

// SafeName tells whether a single name from the network may be one of a file
// here: it names one thing, in the directory where it is put, on this system.
func SafeName(name string) error { return safeName(name, runtime.GOOS) }

func safeName(name, goos string) error {
	bad := func(why string) error { return fmt.Errorf("%q: %w: %s", name, ErrName, why) }
	switch {
	case name == "":
		return bad("it is empty")
	case name == "." || name == "..":
		return bad("it is a directory of its own")
	case len(name) > 255:
		return bad("it is longer than 255 bytes")
	case strings.Contains(name, "/"):
		return bad("it holds a slash")
	case strings.ContainsFunc(name, unicode.IsControl):
		return bad("it holds a control character")
	}
	if goos == "darwin" && !utf8.ValidString(name) {
		return bad("it is no UTF-8")
	}
	if goos == "windows" {
		return windowsName(name, bad)
	}
	return nil
}

// windowsName refuses what Windows takes for something else: devices with any
// extension, streams, separators, and what it would write under another name.
func windowsName(name string, bad func(why string) error) error {
	if strings.ContainsAny(name, `\:*?"<>|`) {
		return bad("it holds what Windows keeps for itself")
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return bad("it ends in a dot or a blank")
	}
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, stem) {
		return bad("it is a device")
	}
	if port, ok := strings.CutPrefix(stem, "COM"); ok && isPortNumber(port) {
		return bad("it is a device")
	}
	if port, ok := strings.CutPrefix(stem, "LPT"); ok && isPortNumber(port) {
		return bad("it is a device")
	}
	return nil
}

func isPortNumber(s string) bool {
	return utf8.RuneCountInString(s) == 1 && strings.Contains("0123456789¹²³", s)
}

// safePath checks each name of a path with slashes.
func safePath(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if err := SafeName(part); err != nil {
			return err
		}
	}
	return nil
}

// NameOf is the last name of a URL's path, as -O writes it.
func NameOf(u *url.URL) (string, error) {
	p := u.Path
	if u.Scheme == "ftp" || u.Scheme == "ftps" {
		p, _, _ = strings.Cut(p, ";type=")
	}
	name := path.Base(p)
	if p == "" || strings.HasSuffix(p, "/") {
		return "", failuref(CodeWrite, "the URL has no name for a file: use -o FILE")
	}
	if err := SafeName(name); err != nil {
		return "", failure(CodeWrite, err)
	}
	return name, nil
}
