package floors

import (
	"os"
	"slices"
	"testing"
	"testing/fstest"
)

// Exceptions, each with its reason.
var (
	noExample = Exceptions{
		".":                 "the root holds only the map of the house, no code",
		"internal/testcert": "it serves tests, and each of them shows its use",
		"internal/foreign":  "likewise; without the programs of others there is nothing to show",
	}
	tooLong = Exceptions{}
)

func house(t *testing.T) *Tree {
	t.Helper()
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func report(t *testing.T, bad []string) {
	t.Helper()
	for _, line := range bad {
		t.Error(line)
	}
}

func TestImportsFollowThePlan(t *testing.T) {
	bad, err := house(t).CheckImports(Plan)
	if err != nil {
		t.Fatal(err)
	}
	report(t, bad)
}

func TestEveryPackageHasAComment(t *testing.T) { report(t, house(t).CheckComments()) }

func TestEveryPackageHasAnExample(t *testing.T) { report(t, house(t).CheckExamples(noExample)) }

func TestNothingIsTooLong(t *testing.T) { report(t, house(t).CheckLengths(tooLong)) }

func TestNothingRunsByBeingImported(t *testing.T) { report(t, house(t).CheckInits()) }

func TestEveryDependencyHasAReason(t *testing.T) {
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	report(t, house(t).CheckDependencies(string(page)))
}

// ruin is a module that breaks every rule once.
func ruin(t *testing.T) *Tree {
	t.Helper()
	long := []byte("package attic // a comment that is no package comment\n\nfunc Long() {\n")
	for range maxFileLines {
		long = append(long, '\n')
	}
	long = append(long, "}\n"...)
	tree, err := Load(fstest.MapFS{
		"go.mod":                     {Data: []byte("module example.org/ruin\n\ngo 1.26.0\n")},
		"cellar/cellar.go":           {Data: []byte("// Package wine is misnamed.\npackage cellar\n\nimport _ \"example.org/ruin/roof\"\n\nfunc init() {}\n")},
		"cellar/internal/jar/jar.go": {Data: []byte("// Package jar is kept by the cellar.\npackage jar\n")},
		"cellar/cellar_test.go":      {Data: []byte("package cellar\n\nimport (\n_ \"example.org/ruin/attic\"\n_ \"example.com/spade/v2/x\"\n)\n\nfunc Example() {\n// Output:\n}\n")},
		"cellar/ignored.go":          {Data: []byte("//go:build ignore\n\npackage main\n\nfunc init() {}\n")},
		"roof/roof.go":               {Data: []byte("// Package roof covers all.\npackage roof\n\nimport (\n_ \"example.org/ruin/cellar\"\n_ \"example.org/ruin/cellar/internal/jar\"\n_ \"example.com/ladder\"\n_ \"fmt\"\n)\n")},
		"roof/roof_test.go":          {Data: []byte("package roof\n\nfunc Example() {}\n")},
		"attic/attic.go":             {Data: long},
		"cmd/ruin/main.go":           {Data: []byte("// Ruin is a command.\npackage main\n")},
		"nested/go.mod":              {Data: []byte("module example.org/nested\n")},
		"nested/nested.go":           {Data: []byte("not even Go")},
		"roof/testdata/x.go":         {Data: []byte("not even Go")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestARuinIsSeen(t *testing.T) {
	tree := ruin(t)
	imports, err := tree.CheckImports("cellar <\nroof < cellar\ncmd/* <\ntests < example.com/spade")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		rule      string
		got, want []string
	}{
		{"imports", imports, []string{
			"attic stands on no floor: give it a line in the plan",
			"cellar/cellar.go imports roof, which the plan does not allow to cellar",
			"roof/roof.go imports cellar/internal/jar, which the plan does not allow to roof",
			"roof/roof.go imports example.com/ladder, which the plan does not allow to roof",
		}},
		{"comments", tree.CheckComments(), []string{
			"attic has no package comment",
			`cellar: its package comment does not begin "Package cellar"`,
		}},
		{"examples", tree.CheckExamples(Exceptions{
			"cellar/internal/jar": "a jar is shown by its cellar",
			"cellar":              "once there was none",
		}), []string{
			"attic has no Example with an Output comment",
			"roof has no Example with an Output comment",
			"the exception for cellar is of no use any more (once there was none)",
		}},
		{"lengths", tree.CheckLengths(Exceptions{"attic/attic.go": "an attic is long"}), []string{
			"attic/attic.go: Long has 602 lines, more than 80",
		}},
		{"inits", tree.CheckInits(), []string{"cellar/cellar.go has an init function"}},
		{"dependencies", tree.CheckDependencies("# x\n\n## example.com/ladder\n"), []string{
			"cellar/cellar_test.go imports example.com/spade/v2/x: no heading gives the reason",
		}},
	}
	for _, tt := range tests {
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.rule, tt.got, tt.want)
		}
	}
}

func TestPlansThatAreNone(t *testing.T) {
	for _, plan := range []string{"wire", "< wire", "[ < wire"} {
		if _, err := new(Tree).CheckImports(plan); err == nil {
			t.Errorf("plan %q passed", plan)
		}
	}
}

func TestTreesThatAreNone(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"no go.mod": {},
		"no module": {"go.mod": {Data: []byte("go 1.26.0\n")}},
		"no Go":     {"go.mod": {Data: []byte("module x\n")}, "x.go": {Data: []byte("?")}},
	} {
		if _, err := Load(tree); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}
