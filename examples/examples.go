// Package examples holds the tutorials' programs, each in Go on our packages
// and in Python 3 beside it: the heir of the Demo folder that Python used to
// ship. They are embedded, so that the farend command can print them.
package examples

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed */main.go */main.py
var files embed.FS

// A Program is one of the tutorials' programs.
type Program struct {
	Name  string
	About string // one line
	Go    string // the source
	Py    string // its counterpart in Python 3
}

// names in the order of the tutorials.
var names = [...]string{
	"greet-server", "greet-client", "echo-server", "echo-client", "upper-server",
	"upper-client", "upper-udp-server", "upper-udp-client", "name-lookup", "urlopen", "basicauth",
}

// All gives the programs in the order of the tutorials.
func All() ([]Program, error) {
	var out []Program
	for _, name := range names {
		p, err := Get(name)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Get gives one program; fs.ErrNotExist: there is none of that name.
func Get(name string) (Program, error) {
	source, err := files.ReadFile(name + "/main.go")
	if err != nil {
		return Program{}, fmt.Errorf("example %s: %w", name, err)
	}
	py, err := files.ReadFile(name + "/main.py")
	if err != nil {
		return Program{}, fmt.Errorf("example %s: %w", name, err)
	}
	return Program{name, about(string(source)), string(source), string(py)}, nil
}

// about is the first sentence of the program's comment.
func about(source string) string {
	text, _, _ := strings.Cut(source, "\npackage ")
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "//", " ")), " ")
	if _, rest, ok := strings.Cut(text, " is "); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, ":")
	return text
}
