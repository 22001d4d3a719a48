package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// exported gives the exported names of a package's folder: "Name" and
// "Type.Method".
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no package in %s: %v", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			addNames(names, d)
		}
	}
	return names
}

func addNames(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		names[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			}
		}
	}
}

// Every Go name that a page puts between back quotes exists.
func TestNamesExist(t *testing.T) {
	quoted := regexp.MustCompile("`(socket|server|wire|conv|dial|message|open)\\.([A-Z][A-Za-z0-9_]*(?:\\.[A-Z][A-Za-z0-9]*)?)")
	known := map[string]map[string]bool{}
	for _, name := range []string{"from-python.md", "unix-sockets.md"} {
		page, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(page)) {
			cells := strings.Split(line, "|")
			if len(cells) > 2 && name == "from-python.md" {
				line = strings.Join(cells[2:], "|") // the first column is Python's
			}
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				pkg, what := m[1], m[2]
				if known[pkg] == nil {
					known[pkg] = exported(t, filepath.Join(root, pkg))
				}
				found++
				if !known[pkg][what] {
					t.Errorf("%s: %s.%s does not exist", name, pkg, what)
				}
			}
		}
		if found < 20 {
			t.Errorf("%s: only %d names found", name, found)
		}
	}
}

// TestTutorial80_MapIsWhole holds the map to the tutorials' tables: every name
// of theirs is in it.
func TestTutorial80_MapIsWhole(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "from-python.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"socket.socket(", "bind(", "listen(", "accept(", "connect(", "recv(", "send(", "sendall(", "recvfrom(",
		"sendto(", "close(", "gethostname(", "getaddrinfo(", "TCPServer(", "UDPServer(", "serve_forever(",
		"BaseRequestHandler", "handle(", "self.request", "self.client_address", "AF_INET", "PF_INET", "PF_UNIX",
		"PF_X25", "AF_UNIX", "SOCK_STREAM", "SOCK_DGRAM",
		"urlopen(", "build_opener(", "install_opener(", "HTTPBasicAuthHandler(", "add_password(",
	} {
		if !strings.Contains(string(page), name) {
			t.Errorf("%s is not in the map", name)
		}
	}
}

// Links between pages lead somewhere.
func TestTutorial80_LinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	pages, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, inner...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
