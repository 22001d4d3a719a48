package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/farend-go/farend/examples"
	"github.com/farend-go/farend/internal/pages"
)

// tutorials is the folder of the tutorial, one page for each language.
const tutorials = "../docs/tutorial"

// taught is the programs in the order in which the tutorial shows them.
var taught = []string{
	"greet-server", "greet-client", "echo-server", "echo-client", "urlopen", "basicauth",
	"upper-server", "upper-client", "upper-udp-server", "upper-udp-client", "name-lookup",
}

// lessons are the tutorial's pages: their text by the name of the file.
func lessons(t *testing.T) map[string]string {
	t.Helper()
	return texts(t, filepath.Join(tutorials, "*.md"))
}

func texts(t *testing.T, pattern string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no pages at %s: %v", pattern, err)
	}
	all := map[string]string{}
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}

// Every program on every page is the tested one, in Go and in Python.
func TestTutorialShowsTheExamples(t *testing.T) {
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(taught) {
		t.Errorf("%d programs, %d are taught", len(all), len(taught))
	}
	for page, text := range lessons(t) {
		inGo, inPython := pages.Blocks(text, "go"), pages.Blocks(text, "python")
		if len(inGo) != len(taught) || len(inPython) != len(taught) {
			t.Fatalf("%s: %d programs in Go, %d in Python, want %d", page, len(inGo), len(inPython), len(taught))
		}
		for i, name := range taught {
			p, err := examples.Get(name)
			if err != nil {
				t.Fatal(err)
			}
			if inGo[i] != p.Go || inPython[i] != p.Py {
				t.Errorf("%s: %s is not the tested program", page, name)
			}
		}
	}
}

// chance is what differs from run to run and from machine to machine: the
// client's port, the address to which a host's own name leads, the number of
// TCP that Windows leaves out, and the name itself.
var chance = []struct {
	what    *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\('127\.[0-9.]+', [0-9]{4,5}\)`), "(PEER)"},
	{regexp.MustCompile(`Got connection from \('[0-9.]+', [0-9]+\)`), "Got connection from (PEER)"},
	{regexp.MustCompile(`\(2, 1, [06], ''`), "(2, 1, TCP, ''"},
}

func steady(s string) string {
	for _, c := range chance {
		s = c.what.ReplaceAllString(s, c.instead)
	}
	return s
}

// shows holds one output on every page to what the program has printed.
func shows(t *testing.T, name, printed string) {
	t.Helper()
	for page, text := range lessons(t) {
		outputs := pages.Blocks(text, "text")
		if len(outputs) != len(taught) {
			t.Fatalf("%s: %d outputs, want %d", page, len(outputs), len(taught))
		}
		for i, n := range taught {
			if n == name && steady(outputs[i]) != steady(printed) {
				t.Errorf("%s: %s prints %q, the page shows %q", page, name, printed, outputs[i])
			}
		}
	}
}

// both runs a client against its server and holds the pages to what they print.
func both(t *testing.T, server string, serverArgs []string, client string, clientArgs []string) {
	t.Helper()
	out := background(t, ours(t, server, serverArgs...))
	shows(t, client, run(t, ours(t, client, clientArgs...)))
	lines := 1
	if strings.HasPrefix(server, "upper") {
		lines = 2
	}
	eventually(t, "what the server prints", func() bool { return strings.Count(out.String(), "\n") >= lines })
	shows(t, server, out.String())
}

func TestTutorialShowsWhatIsPrinted(t *testing.T) {
	t.Run("greet", func(t *testing.T) {
		needOwnName(t)
		port := []string{"-port", freePort(t)}
		both(t, "greet-server", port, "greet-client", port)
	})
	t.Run("echo", func(t *testing.T) {
		port := freePort(t)
		both(t, "echo-server", []string{"-port", port}, "echo-client", []string{"-host", "127.0.0.1", "-port", port})
	})
	t.Run("urlopen", func(t *testing.T) {
		shows(t, "urlopen", run(t, ours(t, "urlopen", "-url", "data:,Hello,%20world")))
	})
	t.Run("basicauth", func(t *testing.T) {
		asking(t)
		shows(t, "basicauth", run(t, ours(t, "basicauth")))
	})
	t.Run("upper", func(t *testing.T) {
		port := freePort(t)
		both(t, "upper-server", []string{"-address", "127.0.0.1:" + port},
			"upper-client", []string{"-host", "127.0.0.1", "-port", port, "hello"})
	})
	t.Run("upper-udp", func(t *testing.T) {
		port := freePort(t)
		both(t, "upper-udp-server", []string{"-address", "127.0.0.1:" + port},
			"upper-udp-client", []string{"-host", "127.0.0.1", "-port", port, "hello"})
	})
	t.Run("name-lookup", func(t *testing.T) {
		name, err := os.Hostname()
		if err != nil {
			t.Skip("this host has no name: ", err)
		}
		printed := run(t, ours(t, "name-lookup", "127.0.0.1"))
		if !strings.HasSuffix(printed, "\n"+name+"\n") {
			t.Errorf("it printed %q", printed)
		}
		shows(t, "name-lookup", strings.TrimSuffix(printed, name+"\n")+"myhost\n")
	})
}

// The pages have the same steps in every language.
func TestTutorialPagesAgree(t *testing.T) {
	shapes := map[string][]string{}
	for page, text := range lessons(t) {
		var shape strings.Builder // headings and rows of tables
		for line := range strings.Lines(pages.Prose(text)) {
			if strings.HasPrefix(line, "## ") || strings.HasPrefix(line, "|") {
				shape.WriteByte(line[0])
			}
		}
		shapes[shape.String()] = append(shapes[shape.String()], page)
	}
	if len(shapes) != 1 {
		t.Errorf("the pages differ in their steps or tables: %q", shapes)
	}
}

// The links of the pages below docs lead somewhere.
func TestTutorialLinksLead(t *testing.T) {
	for page, text := range texts(t, "../docs/*/*.md") {
		for _, to := range pages.Links(text) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), to)); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
