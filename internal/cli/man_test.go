package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestManWritesAPageForEachCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if got := farend(t, "", "man", dir); got.code != 0 || got.out+got.err != "" {
		t.Fatalf("%+v", got)
	}
	for _, name := range []string{"farend", "farend-talk", "farend-addr", "farend-list", "farend-serve", "farend-man", "farend-completion"} {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		checkPage(t, name, string(page))
	}
}

// The pages have what help has: defaults, tables line by line, and statuses of
// a command's own.
func TestManIsComplete(t *testing.T) {
	dir := t.TempDir()
	if got := farend(t, "", "man", dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	for name, texts := range map[string][]string{
		"farend-bench": {".B 99\na \\-\\-max was missed\n", "(default 1)"},
		"farend-serve": {"(default 5s)", ".nf\n  after=", ".B 130\na second signal"},
		"farend-run":   {".B 127\n", ".B 130\ninterrupted\n"},
	} {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if !strings.Contains(string(page), text) {
				t.Errorf("%s has no %q", name, text)
			}
		}
		if strings.Count(string(page), ".B 130\n") != 1 {
			t.Errorf("%s has not one status 130", name)
		}
	}
}

var requests = regexp.MustCompile(`^\.(TH|SH|TP|PP|B|BR|nf|fi)( |$)`)

// checkPage checks what man(7) and whatis(1) need.
func checkPage(t *testing.T, name, page string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(page, "\n"), "\n")
	if !strings.HasPrefix(lines[0], ".TH "+strings.ReplaceAll(strings.ToUpper(name), "-", `\-`)+" 1 ") {
		t.Errorf("%s begins %q", name, lines[0])
	}
	open := false
	for i, line := range lines {
		if strings.HasPrefix(line, ".") && !requests.MatchString(line) {
			t.Errorf("%s:%d: unknown request %q", name, i+1, line)
		}
		switch line {
		case ".nf":
			open = true
		case ".fi":
			open = false
		case "":
			t.Errorf("%s:%d: an empty line", name, i+1)
		}
	}
	if open {
		t.Errorf("%s: .nf without .fi", name)
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES"} {
		if strings.Count(page, "\n.SH "+section+"\n") != 1 {
			t.Errorf("%s: no section %s", name, section)
		}
	}
	if !strings.Contains(page, ".SH NAME\n"+strings.ReplaceAll(name, "-", `\-`)+` \- `) {
		t.Errorf("%s: its NAME is not what whatis(1) reads", name)
	}
}

func TestManPagesAreTheSameEachTime(t *testing.T) {
	t.Setenv("TZ", "Pacific/Kiritimati") // a date of the source's, not of this place
	first, second := farend(t, "", "man"), farend(t, "", "man")
	if first.code != 0 || first.out != second.out {
		t.Error("two pages of one source differ")
	}
	e := &env{environ: []string{"SOURCE_DATE_EPOCH=86399"}}
	if date, err := e.sourceDate(); date != "1970-01-01" || err != nil {
		t.Errorf("%q, %v", date, err)
	}
	e.environ = []string{"SOURCE_DATE_EPOCH=yesterday"}
	if _, err := e.sourceDate(); err == nil {
		t.Error("SOURCE_DATE_EPOCH=yesterday is taken")
	}
}

func TestManPagesAreClean(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff")
	}
	dir := t.TempDir()
	if got := farend(t, "", "man", dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	for _, page := range pages {
		cmd := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z", page)
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: %v: %s", filepath.Base(page), err, said)
		}
	}
}

func TestTextStaysTextInRoff(t *testing.T) {
	for in, want := range map[string]string{
		".TH": `\&.TH`, "'x": `\&'x`, `printf 'a\n'`: `printf 'a\en'`, "--key": `\-\-key`, "a\n.b": "a\n\\&.b",
	} {
		if got := roff(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
