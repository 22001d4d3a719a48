package transfer

import (
	"errors"
	"strings"
	"testing"
)

func TestNamesMadeSafe(t *testing.T) {
	for _, c := range []struct {
		name string
		good string // the systems on which it is one
	}{
		{"a.txt", "linux darwin windows"},
		{"é ü", "linux darwin windows"},
		{".hidden", "linux darwin windows"},
		{"...", "linux darwin"},
		{"con", "linux darwin"},
		{"CON.txt", "linux darwin"},
		{"nul .tar.gz", "linux darwin"},
		{"com1", "linux darwin"},
		{"LPT¹.x", "linux darwin"},
		{"com10", "linux darwin windows"},
		{"console", "linux darwin windows"},
		{`a\b`, "linux darwin"},
		{"C:evil", "linux darwin"},
		{"a:stream", "linux darwin"},
		{"trailing.", "linux darwin"},
		{"trailing ", "linux darwin"},
		{"a\xff", "linux windows"},
		{"", ""},
		{".", ""},
		{"..", ""},
		{"a/b", ""},
		{"/etc", ""},
		{"../x", ""},
		{"a\x00b", ""},
		{"a\nb", ""},
		{"\x1b[2J", ""},
		{strings.Repeat("x", 256), ""},
	} {
		for _, goos := range []string{"linux", "darwin", "windows"} {
			err := safeName(c.name, goos)
			if want := strings.Contains(c.good, goos); (err == nil) != want || err != nil && !errors.Is(err, ErrName) {
				t.Errorf("%q on %s: %v", c.name, goos, err)
			}
		}
	}
}
