package cli

import (
	"os"
	"path/filepath"
	"strings"
)

// completePath completes a path behind "unix:": the shell would complete no
// path that does not begin the word. Only folders and sockets are offered.
func completePath(scheme, begun string) []string {
	dir, base := filepath.Split(begun)
	entries, err := os.ReadDir(filepath.Clean(dir)) // "." where there is none
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || base == "" && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := scheme + ":" + dir + e.Name()
		switch {
		case e.IsDir():
			out = append(out, path+"/")
		case e.Type()&os.ModeSocket != 0:
			out = append(out, path)
		}
	}
	return out
}
