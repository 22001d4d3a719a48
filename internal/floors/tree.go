// Package floors holds the plan of the house and the tests that keep the house
// to it, the heir of Go's own go/build/deps_test.go: which package may import
// which, and a few rules that every package follows. It reads source text
// only, so it needs neither network nor a Go command, and sees the files of
// every operating system at once.
package floors

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Tree is a module's source.
type Tree struct {
	Module   string // its path, as go.mod has it
	Packages []*Package
}

// A Package is one directory of Go files. Files that no build takes
// ("//go:build ignore") are left out.
type Package struct {
	Dir   string // from the module's root, slashes; "." is the root
	Name  string
	Files []*File
}

// A File is one Go file, parsed with its comments.
type File struct {
	Name  string // path from the module's root
	Test  bool
	Lines int
	AST   *ast.File
	Fset  *token.FileSet
}

// Load reads the module whose root is fsys, without its testdata and without
// the modules nested in it.
func Load(fsys fs.FS) (*Tree, error) {
	module, err := modulePath(fsys)
	if err != nil {
		return nil, err
	}
	tree := &Tree{Module: module}
	err = fs.WalkDir(fsys, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if dir != "." && skipped(fsys, dir) {
			return fs.SkipDir
		}
		p, err := loadPackage(fsys, dir)
		if p != nil {
			tree.Packages = append(tree.Packages, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("floors: reading the module: %w", err)
	}
	return tree, nil
}

func modulePath(fsys fs.FS) (string, error) {
	text, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return "", fmt.Errorf("floors: reading the module: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", fmt.Errorf("floors: reading the module: go.mod names none")
}

func skipped(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

// loadPackage returns nil for a directory without Go files.
func loadPackage(fsys fs.FS, dir string) (*Package, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	p := &Package{Dir: dir}
	for _, name := range names {
		f, err := loadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if unbuilt(f.AST) {
			continue
		}
		p.Files = append(p.Files, f)
		if own := strings.TrimSuffix(f.AST.Name.Name, "_test"); p.Name == "" || !f.Test {
			p.Name = own
		}
	}
	if len(p.Files) == 0 {
		return nil, nil
	}
	return p, nil
}

func loadFile(fsys fs.FS, name string) (*File, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &File{
		Name:  name,
		Test:  strings.HasSuffix(name, "_test.go"),
		Lines: strings.Count(string(text), "\n"),
		AST:   parsed,
		Fset:  fset,
	}, nil
}

// unbuilt tells whether the file carries "//go:build ignore".
func unbuilt(f *ast.File) bool {
	for _, group := range f.Comments {
		if group.Pos() > f.Package {
			return false
		}
		for _, c := range group.List {
			expr, err := constraint.Parse(c.Text)
			tag, ok := expr.(*constraint.TagExpr)
			if err == nil && ok && tag.Tag == "ignore" {
				return true
			}
		}
	}
	return false
}

// imports lists what the file imports beside the standard library:
// directories of ours, and the paths of other modules.
func (t *Tree) imports(f *File) []string {
	var list []string
	for _, spec := range f.AST.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if name == t.Module {
			name = "."
		} else if dir, ok := strings.CutPrefix(name, t.Module+"/"); ok {
			name = dir
		} else if !foreign(name) {
			continue
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
