//go:build ignore

// Table prints docs/interop.md from what go test -json printed on standard
// input: a row for each test against programs that others wrote, with its parts.
// Its arguments are files with the names of tests, "package TestName": those
// of the first that are not in the second are such.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

const head = `# Conversations with programs that others wrote

Made from a run of the tests with ` + "`.ci/interop-table`" + `; what is not installed where they run is skipped, and says so. Each
row is a test, by its name in words; its parts are the clients, servers, ways and features that it goes through.

`

type result struct {
	action string
	parts  []string
	marks  map[string]string
}

func main() {
	among := names(os.Args[1])
	for name := range names(os.Args[2]) {
		delete(among, name)
	}
	tests := map[string]*result{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(in.Bytes(), &e) != nil || e.Test == "" || !slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			continue
		}
		top, part, _ := strings.Cut(e.Test, "/")
		key := e.Package + " " + top
		if !among[key] {
			continue
		}
		r := tests[key]
		if r == nil {
			r = &result{marks: map[string]string{}}
			tests[key] = r
		}
		if part == "" {
			r.action = e.Action
			continue
		}
		r.parts = append(r.parts, part)
		r.marks[part] = e.Action
	}
	fmt.Print(head)
	print(tests)
}

func names(file string) map[string]bool {
	text, err := os.ReadFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		out[strings.TrimSpace(line)] = true
	}
	return out
}

func print(tests map[string]*result) {
	var keys []string
	for key := range tests {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	last := ""
	counts := map[string]int{}
	for _, key := range keys {
		pkg, test, _ := strings.Cut(key, " ")
		pkg = strings.TrimPrefix(pkg, "github.com/farend-go/farend/")
		if pkg != last {
			fmt.Printf("\n## %s\n\n| test | result | parts |\n|---|---|---|\n", pkg)
			last = pkg
		}
		r := tests[key]
		counts[r.action]++
		fmt.Printf("| %s | %s | %s |\n", words(test), r.action, strings.Join(r.leaves(), ", "))
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped.\n", counts["pass"], counts["fail"], counts["skip"])
}

// leaves are the parts that have no parts, with their outcome where it is not
// that they passed.
func (r *result) leaves() []string {
	slices.Sort(r.parts)
	var out []string
	for i, part := range r.parts {
		if i+1 < len(r.parts) && strings.HasPrefix(r.parts[i+1], part+"/") {
			continue
		}
		text := strings.NewReplacer("_", " ", "/", ", ", "|", "\\|").Replace(part)
		if mark := r.marks[part]; mark != "pass" {
			text += " (" + mark + ")"
		}
		out = append(out, text)
	}
	if most := 40; len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return slices.Compact(out)
}

var capital = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// words makes words of a test's name.
func words(test string) string {
	test = strings.TrimPrefix(test, "Test")
	test = strings.ReplaceAll(test, "_", ": ")
	return capital.ReplaceAllString(test, "$1 $2")
}
