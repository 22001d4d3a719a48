package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	markdown "github.com/farend-go/farend/internal/pages"
)

// commandLines splits a shell's line into its commands, and these into words,
// as far as the pages need it: quotes, pipes, comments.
func commandLines(line string) [][]string {
	var commands [][]string
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	flush := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
scan:
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ':
			flush()
		case r == '#' && !begun:
			break scan
		case r == '|' || r == '&':
			flush()
			commands, words = append(commands, words), nil
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	flush()
	return append(commands, words)
}

func TestCommandLines(t *testing.T) {
	got := commandLines(`printf 'a b\r\n#' | farend talk "x y" # not this | farend`)
	want := [][]string{{"printf", `a b\r\n#`}, {"farend", "talk", "x y"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// understood tells what is wrong with the arguments of farend, without running
// anything.
func understood(t *testing.T, args []string) error {
	t.Helper()
	root := newRoot(&env{out: &bytes.Buffer{}, err: &bytes.Buffer{}, signals: newSignals(t.Context())})
	c, rest, err := root.Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err != nil || c.Name() != "serve" {
		return err
	}
	for _, name := range c.Flags().Args() {
		if !slices.ContainsFunc(app.Catalogue(), func(s app.Service) bool { return s.Name == name }) {
			return fmt.Errorf("there is no service %s", name)
		}
	}
	return nil
}

// TestTutorial79_CommandsOnPagesAreUnderstood holds every page to the command
// line: the commands, flags and services that it shows exist.
func TestTutorial79_CommandsOnPagesAreUnderstood(t *testing.T) {
	found := 0
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/*/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(strings.Join(markdown.Blocks(string(text), "sh"), "")) {
				found += checkLine(t, name, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d commands found", found)
	}
}

// checkLine gives how many commands of ours are on a line.
func checkLine(t *testing.T, page, line string) (found int) {
	t.Helper()
	for _, words := range commandLines(line) {
		if len(words) == 0 || words[0] != "farend" {
			continue
		}
		found++
		if err := understood(t, words[1:]); err != nil {
			t.Errorf("%s: %s: %v", page, line, err)
		}
	}
	return found
}
