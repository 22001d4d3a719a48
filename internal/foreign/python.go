//go:build interop

package foreign

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pythons are the names under which interpreters are looked for.
var pythons = map[int][]string{
	2: {"$PY2", "python2.7", "python2"},
	3: {"$PY3", "python3", "python3.12", "python3.11", "python3.10", "python3.9"},
}

// Python finds an interpreter of a major version that has modules, or skips the
// test: the versions from 3.12 on have lost some.
func Python(t testing.TB, major int, modules ...string) string {
	t.Helper()
	imports := "import " + strings.Join(append([]string{"sys"}, modules...), ", ")
	for _, name := range pythons[major] { // one may be the stand-in of a version manager, which does not run
		path, err := exec.LookPath(os.ExpandEnv(name))
		if err == nil && exec.CommandContext(t.Context(), path, "-W", "ignore", "-c", imports).Run() == nil {
			return path
		}
	}
	t.Skipf("no Python %d that can %s: neither %s", major, imports, strings.Join(pythons[major], " nor "))
	return ""
}

// PythonServer runs a program until the test ends; each call of line gives the
// next that it prints, which often begins with its port.
func PythonServer(t testing.TB, python, program string, args ...string) (line func() string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-u", "-W", "ignore", "-c", program}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	return func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the program in Python has ended: %v", lines.Err())
		}
		return lines.Text()
	}
}

// Page writes a program of a tutorial's page to a file, from begin to end,
// unchanged but for the words that change replaces. The pages are not ours to
// carry: a folder of them is named by the environment where there is one.
func Page(t testing.TB, file, begin, end string, change ...string) string {
	t.Helper()
	dir := os.Getenv("TUTORIAL_PAGES")
	if dir == "" {
		t.Skip("no tutorial pages here: $TUTORIAL_PAGES names no folder")
	}
	paths, err := filepath.Glob(filepath.Join(dir, file))
	if err != nil || len(paths) != 1 {
		t.Skipf("no page %s in $TUTORIAL_PAGES", file)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), begin)
	program, _, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the page has no program between %q and %q", begin, end)
	}
	path := filepath.Join(t.TempDir(), "page.py")
	if err := os.WriteFile(path, []byte(strings.NewReplacer(change...).Replace(begin+program)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
