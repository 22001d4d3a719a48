package socket

import (
	"os"
	"path/filepath"
)

// dnsByFile tells whether resolv.conf is what this system's programs go by.
const dnsByFile = false

// systemFile gives the path of a file that Unix systems keep in /etc. protocols
// has lost its last letter here.
func systemFile(name string) string {
	if name == "protocols" {
		name = "protocol"
	}
	return filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", name)
}
