package snippets

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/internal/pages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const folder = ".." // of the pages

// read gives a file's text.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// source is a snippet as a page shows it: without its package clause.
func source(t *testing.T, file string) string {
	t.Helper()
	return strings.TrimPrefix(read(t, file), "package snippets\n\n")
}

// outputs are what the Examples are held to, by the function that they show.
func outputs(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "example_test.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range doc.Examples(f) {
		found[e.Name] = e.Output
	}
	return found
}

// shown is what a page shows: the names of its snippets, and the functions
// whose Examples print what the page says that they print.
type shown struct {
	snippets []string
	clients  []string
}

// manual says what each page shows.
var manual = map[string]shown{
	"sockets.md": {[]string{"echo_server", "echo_client", "datagram_server", "datagram_client"}, []string{"EchoClient", "DatagramClient"}},
	"http.md":    {[]string{"http_server", "http_client"}, []string{"HTTPClient"}},
	"xmlrpc.md":  {[]string{"xmlrpc_server", "xmlrpc_client"}, []string{"XMLRPCClient"}},
	"ftp.md":     {[]string{"ftp_server", "ftp_client"}, []string{"FTPClient"}},
	"imap.md":    {[]string{"imap_server", "imap_client"}, []string{"IMAPClient"}},
	"nntp.md":    {[]string{"nntp_server", "nntp_client"}, []string{"NNTPClient"}},
	"telnet.md":  {[]string{"telnet_server", "telnet_client"}, []string{"TelnetClient"}},
	"gopher.md":  {[]string{"gopher_server", "gopher_client"}, []string{"GopherClient"}},
	"smtp.md":    {[]string{"smtp_server", "smtp_client"}, []string{"SMTPClient"}},
	"pop3.md":    {[]string{"pop3_server", "pop3_client"}, []string{"POP3Client"}},
}

// Every program and every output on a page is the tested one.
func TestTutorial79_PagesShowWhatIsTested(t *testing.T) {
	printed := outputs(t)
	for page, want := range manual {
		t.Run(page, func(t *testing.T) {
			text := read(t, filepath.Join(folder, page))
			programs := pages.Blocks(text, "go")
			if len(programs) != len(want.snippets) {
				t.Fatalf("%d programs, want %d", len(programs), len(want.snippets))
			}
			for i, name := range want.snippets {
				if programs[i] != source(t, name+".go") {
					t.Errorf("program %d differs from %s.go", i+1, name)
				}
			}
			results := pages.Blocks(text, "text")
			if len(results) != len(want.clients) {
				t.Fatalf("%d outputs, want %d", len(results), len(want.clients))
			}
			for i, name := range want.clients {
				if printed[name] == "" || results[i] != printed[name] {
					t.Errorf("the page shows %q, %s prints %q", results[i], name, printed[name])
				}
			}
		})
	}
}

// Every page is checked and in the table of contents, and every snippet is on one.
func TestTutorial79_NoPageIsUnchecked(t *testing.T) {
	contents := pages.Links(read(t, filepath.Join(folder, "README.md")))
	used := map[string]bool{}
	for _, page := range list(t, filepath.Join(folder, "*.md")) {
		page = filepath.Base(page)
		if page == "README.md" {
			continue
		}
		for _, s := range manual[page].snippets {
			used[s+".go"] = true
		}
		if _, ok := manual[page]; !ok || !slices.Contains(contents, page) {
			t.Errorf("%s is not checked, or not in the table of contents", page)
		}
	}
	for _, file := range list(t, "*_server.go", "*_client.go") {
		if !used[file] {
			t.Errorf("%s is on no page", file)
		}
	}
}

func list(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil || len(found) == 0 {
			t.Fatalf("nothing at %s: %v", p, err)
		}
		all = append(all, found...)
	}
	return all
}

// A snippet's function has ten lines, not counting what only hands an error on
// and what closes a brace.
func TestTutorial79_SnippetsHaveTenLines(t *testing.T) {
	for _, file := range list(t, "*_server.go", "*_client.go") {
		text := read(t, file)
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			body := text[fset.Position(fn.Body.Lbrace).Offset+1 : fset.Position(fn.Body.Rbrace).Offset]
			n := 0
			for line := range strings.Lines(body) {
				switch strings.TrimSpace(line) {
				case "", "}", "if err != nil {", "return err":
				default:
					n++
				}
			}
			if n > 10 {
				t.Errorf("%s: %d lines", fn.Name.Name, n)
			}
		}
	}
}
