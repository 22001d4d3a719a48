package floors

import (
	"slices"
	"strings"
	"testing"
)

// ourImports gives the packages of ours that a package imports, without its tests.
func ourImports(tree *Tree, dir string) []string {
	var out []string
	for _, p := range tree.Packages {
		if p.Dir != dir {
			continue
		}
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			for _, name := range tree.imports(f) {
				if !foreign(name) && !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// The library has two levels: protocols stand on sockets, never the reverse.
func TestTutorial01_ProtocolsStandOnSockets(t *testing.T) {
	tree := house(t)
	reach := map[string]bool{}
	var walk func(dir string)
	walk = func(dir string) {
		for _, in := range ourImports(tree, dir) {
			if !reach[in] {
				reach[in] = true
				walk(in)
			}
		}
	}
	walk("proto/simple")
	if !reach["socket"] {
		t.Error("proto/simple does not stand on socket")
	}
	for _, low := range []string{"socket", "wire", "conv", "server", "dial"} {
		clear(reach)
		walk(low)
		for in := range reach {
			if strings.HasPrefix(in, "proto") || in == "app" || strings.HasPrefix(in, "internal") {
				t.Errorf("%s stands on %s", low, in)
			}
		}
	}
}

// One import is enough for the tutorials' programs on sockets.
func TestTutorial08_OneImportIsEnough(t *testing.T) {
	tree := house(t)
	for _, program := range []string{"greet-server", "greet-client", "echo-server", "echo-client"} {
		if got := ourImports(tree, "examples/"+program); !slices.Equal(got, []string{"socket"}) {
			t.Errorf("%s imports %q of ours", program, got)
		}
	}
}
