//go:build ignore

// Count reads what go test -json printed. For one file it prints what failed,
// with its output, what was skipped, with the reason, and the counts; with
// -total it prints one line over all files, where a test counts once, as
// failed if it failed anywhere and as passed if it passed anywhere.
// The exit status is 1 if anything failed.
//
// With -again it prints the packages and tests that deserve another try, alone:
// few, and failed without a data race, a panic or a time-out. Those that passed
// it are named in a file beside X.json, X.unsteady; they are listed and counted
// as unsteady, not as failed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, ImportPath, Test, Output string
}

// result is what is known of one test, or of a package (no Test).
type result struct {
	name   string
	parent string // a test's package
	action string // pass, unsteady, fail or skip
	output []string
}

type results map[string]*result

func main() {
	total := flag.Bool("total", false, "one line over all files")
	again := flag.Bool("again", false, "print what deserves another try")
	flag.Parse()
	all := results{}
	for _, name := range flag.Args() {
		one := results{} // what a file forgives is its own
		if err := one.read(name); err != nil {
			if *total && os.IsNotExist(err) {
				continue
			}
			fmt.Fprintln(os.Stderr, "count:", err)
			os.Exit(1)
		}
		all.add(one)
	}
	if *again {
		for _, name := range all.deserving() {
			fmt.Println(name)
		}
		return
	}
	all.print(*total)
	passed, failed, skipped := all.count()
	fmt.Printf("%d passed, %d failed, %d skipped", passed, failed, skipped)
	if n := len(all.unsteady()); n > 0 {
		fmt.Printf(", %d of the passed unsteady", n)
	}
	fmt.Println()
	if failed > 0 {
		os.Exit(1)
	}
}

// read adds one file's events. Lines that are none come from the go command
// itself and are passed on.
func (all results) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			all.line(line)
		}
		if err == io.EOF {
			return all.forgive(strings.TrimSuffix(name, ".json") + ".unsteady")
		}
		if err != nil {
			return err
		}
	}
}

// add adds what is known from another file.
func (all results) add(one results) {
	for name, r := range one {
		if was := all[name]; was != nil {
			was.settle(r.action)
			was.output = append(was.output, r.output...)
			continue
		}
		all[name] = r
	}
}

// forgive turns the failures named in a file into passes that are unsteady.
func (all results) forgive(name string) error {
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil
	}
	for _, test := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		for key, r := range all {
			if r.action == "fail" && (key == test || strings.HasPrefix(key, test+"/")) {
				r.action = "unsteady"
			}
		}
		pkg, _, _ := strings.Cut(test, " ")
		if r := all[pkg]; r != nil && !all.blamed()[pkg] {
			r.action = "pass"
		}
	}
	return err
}

// deserving names the tests, not the parts of tests, that failed and may try
// again; nobody, where more is wrong than a machine that was slow.
func (all results) deserving() []string {
	var out []string
	blamed := all.blamed()
	for _, name := range all.names() {
		r := all[name]
		if r.action != "fail" || blamed[name] {
			continue
		}
		said := strings.Join(r.output, "")
		for _, sign := range []string{"DATA RACE", "panic: ", "fatal error: "} {
			if strings.Contains(said, sign) {
				return nil
			}
		}
		if r.parent == "" { // it did not build, or something was left behind
			return nil
		}
		if !strings.Contains(strings.TrimPrefix(name, r.parent), "/") {
			out = append(out, name)
		}
	}
	if len(out) > 3 {
		return nil
	}
	return out
}

// unsteady names the tests that passed only alone.
func (all results) unsteady() []string {
	var out []string
	for _, name := range all.names() {
		if r := all[name]; r.action == "unsteady" && !strings.Contains(strings.TrimPrefix(name, r.parent), "/") {
			out = append(out, name)
		}
	}
	return out
}

func (all results) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		fmt.Print(string(line))
		return
	}
	key, parent := e.Package, ""
	if e.Test != "" {
		key, parent = e.Package+" "+e.Test, e.Package
	}
	if e.ImportPath != "" {
		key = "build of " + e.ImportPath
	}
	r := all[key]
	if r == nil {
		r = &result{name: key, parent: parent}
		all[key] = r
	}
	switch e.Action {
	case "output", "build-output":
		r.output = append(r.output, e.Output)
	case "pass", "skip", "fail":
		r.settle(e.Action)
	case "build-fail":
		r.action = "fail"
	}
}

// settle keeps a failure before a pass and a pass before a skip.
func (r *result) settle(action string) {
	rank := []string{"", "skip", "pass", "unsteady", "fail"}
	if slices.Index(rank, action) > slices.Index(rank, r.action) {
		r.action = action
	}
}

// count counts tests, and packages that failed without a test that did: those
// that did not build, or died, or left something behind.
func (all results) count() (passed, failed, skipped int) {
	blamed := all.blamed()
	for name, r := range all {
		switch {
		case r.action == "fail":
			if !blamed[name] && !strings.HasPrefix(name, "build of ") {
				failed++
			}
		case r.parent == "":
		case r.action == "pass", r.action == "unsteady":
			passed++
		case r.action == "skip":
			skipped++
		}
	}
	return passed, failed, skipped
}

// blamed holds the packages that have a failed test to show for it.
func (all results) blamed() map[string]bool {
	blamed := map[string]bool{}
	for _, r := range all {
		if r.action == "fail" && r.parent != "" {
			blamed[r.parent] = true
		}
	}
	return blamed
}

func (all results) print(total bool) {
	for _, name := range all.unsteady() {
		fmt.Printf("UNSTEADY %s: it failed among the others and passed alone\n", name)
		for _, part := range all.names() {
			if !total && (part == name || strings.HasPrefix(part, name+"/")) {
				fmt.Print(strings.Join(all[part].output, ""))
			}
		}
	}
	if total {
		return
	}
	blamed := all.blamed()
	for _, name := range all.names() {
		r := all[name]
		if r.action == "skip" && r.parent != "" {
			fmt.Printf("skip %s: %s\n", name, r.reason())
		}
		if r.action == "fail" && !blamed[name] {
			fmt.Printf("FAIL %s\n%s", name, strings.Join(r.output, ""))
		}
	}
}

func (all results) names() []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// reason is what the test said when it skipped: its lines but for the
// framework's own, without "file.go:12: ".
func (r *result) reason() string {
	var said []string
	for _, line := range r.output {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, after, ok := strings.Cut(line, ".go:"); ok {
			if _, text, ok := strings.Cut(after, ": "); ok {
				line = text
			}
		}
		said = append(said, line)
	}
	return strings.Join(said, " ")
}
