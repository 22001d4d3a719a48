package open

import (
	"path/filepath"
	"strings"
)

// diskPath is the path of a file: URL as the system has it: /C:/x is C:\x (RFC
// 8089 appendix E.2).
func diskPath(p string) string {
	if len(p) > 2 && (p[2] == ':' || p[2] == '|') {
		p = p[1:2] + ":" + p[3:]
	}
	return filepath.FromSlash(strings.TrimPrefix(p, "//"))
}
