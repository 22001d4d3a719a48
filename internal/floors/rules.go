package floors

import (
	"fmt"
	"go/ast"
	"go/doc"
	"slices"
	"strings"
)

// Limits of length that every file keeps, tests included.
const (
	maxFileLines = 600
	maxFuncLines = 80
)

// Exceptions names what a rule lets pass: a directory or a file, or
// "file.go:Function", with a sentence that says why. One that lets nothing
// pass any more is reported.
type Exceptions map[string]string

// CheckImports reports every import that the plan does not allow and every
// package that it does not know, one line each.
func (t *Tree) CheckImports(plan string) ([]string, error) {
	rules, err := parsePlan(plan)
	if err != nil {
		return nil, err
	}
	tests, _ := allowed(rules, "tests")
	var bad []string
	for _, p := range t.Packages {
		may, known := allowed(rules, p.Dir)
		if !known {
			bad = append(bad, p.Dir+" stands on no floor: give it a line in the plan")
			continue
		}
		for _, f := range p.Files {
			for _, target := range t.imports(f) {
				if ours := !foreign(target); ours && (f.Test || sameHouse(p.Dir, target)) {
					continue
				}
				if mayImport(may, target) || f.Test && mayImport(tests, target) {
					continue
				}
				bad = append(bad, fmt.Sprintf("%s imports %s, which the plan does not allow to %s", f.Name, target, p.Dir))
			}
		}
	}
	return bad, nil
}

// sameHouse tells whether target is private to the package at dir, or to the
// one it is private to.
func sameHouse(dir, target string) bool {
	return strings.Contains(target, "/internal/") && household(target) == household(dir)
}

// CheckComments reports packages whose comment is missing or does not begin
// "Package name" (a command's may begin as it likes).
func (t *Tree) CheckComments() []string {
	var bad []string
	for _, p := range t.Packages {
		text := packageComment(p)
		if text == "" {
			bad = append(bad, p.Dir+" has no package comment")
		} else if p.Name != "main" && !strings.HasPrefix(text, "Package "+p.Name+" ") {
			bad = append(bad, fmt.Sprintf("%s: its package comment does not begin \"Package %s\"", p.Dir, p.Name))
		}
	}
	return bad
}

func packageComment(p *Package) string {
	for _, f := range p.Files {
		if f.AST.Doc != nil && !f.Test {
			return f.AST.Doc.Text()
		}
	}
	return ""
}

// CheckExamples reports packages without an Example that go test runs, which
// is one with an Output comment. Commands need none.
func (t *Tree) CheckExamples(except Exceptions) []string {
	e := newExemption(except)
	for _, p := range t.Packages {
		if p.Name == "main" || hasExample(p) {
			continue
		}
		e.report(p.Dir, p.Dir+" has no Example with an Output comment")
	}
	return e.result()
}

func hasExample(p *Package) bool {
	for _, f := range p.Files {
		if !f.Test {
			continue
		}
		for _, example := range doc.Examples(f.AST) {
			if example.Output != "" || example.EmptyOutput {
				return true
			}
		}
	}
	return false
}

// CheckLengths reports files and functions that are too long to read at a
// sitting. Generated files may be as long as they like.
func (t *Tree) CheckLengths(except Exceptions) []string {
	e := newExemption(except)
	for _, p := range t.Packages {
		for _, f := range p.Files {
			if ast.IsGenerated(f.AST) {
				continue
			}
			if f.Lines > maxFileLines {
				e.report(f.Name, fmt.Sprintf("%s has %d lines, more than %d", f.Name, f.Lines, maxFileLines))
			}
			for _, d := range f.AST.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := funcLines(f, fn); n > maxFuncLines {
					e.report(f.Name+":"+fn.Name.Name, fmt.Sprintf("%s: %s has %d lines, more than %d", f.Name, fn.Name.Name, n, maxFuncLines))
				}
			}
		}
	}
	return e.result()
}

func funcLines(f *File, fn *ast.FuncDecl) int {
	return f.Fset.Position(fn.End()).Line - f.Fset.Position(fn.Type.Func).Line + 1
}

// CheckInits reports functions named init: nothing here runs by being
// imported.
func (t *Tree) CheckInits() []string {
	var bad []string
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					bad = append(bad, f.Name+" has an init function")
				}
			}
		}
	}
	return bad
}

// CheckDependencies reports other modules' packages that ours import and that
// the page of dependencies does not name with a heading of their module.
func (t *Tree) CheckDependencies(page string) []string {
	var named []string
	for line := range strings.Lines(page) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			named = append(named, strings.TrimSpace(heading))
		}
	}
	var bad []string
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, target := range t.imports(f) {
				if foreign(target) && !mayImport(named, target) {
					bad = append(bad, fmt.Sprintf("%s imports %s: no heading gives the reason", f.Name, target))
				}
			}
		}
	}
	return bad
}

// exemption sorts findings into those that an exception covers and those that
// none does, and remembers which exceptions were of use.
type exemption struct {
	left Exceptions
	used []string
	bad  []string
}

func newExemption(except Exceptions) *exemption {
	return &exemption{left: except}
}

func (e *exemption) report(what, finding string) {
	if _, ok := e.left[what]; !ok {
		e.bad = append(e.bad, finding)
		return
	}
	e.used = append(e.used, what)
}

func (e *exemption) result() []string {
	for what, why := range e.left {
		if !slices.Contains(e.used, what) {
			e.bad = append(e.bad, fmt.Sprintf("the exception for %s is of no use any more (%s)", what, why))
		}
	}
	slices.Sort(e.bad)
	return e.bad
}
