package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/gopher"
)

// gopherFiles is a tree of files in memory.
func gopherFiles(t *testing.T, content map[string]string) filetree.Tree {
	t.Helper()
	tree := filetree.Memory(filetree.Options{})
	for name, text := range content {
		if dir := filepath.ToSlash(filepath.Dir(name)); dir != "." {
			if err := filetree.MkdirAll(tree, dir); err != nil {
				t.Fatal(err)
			}
		}
		u, err := tree.Create(t.Context(), name, filetree.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, text); err != nil {
			t.Fatal(err)
		}
		if err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// lines are the items of a menu, as short as can be.
func lines(t *testing.T, items func(yield func(gopher.Item, error) bool)) []string {
	t.Helper()
	out := []string{}
	for i, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		line := string(rune(i.Type)) + i.Name
		if i.Type != gopher.Info {
			line += "|" + i.Selector + "|" + i.Host
		}
		out = append(out, line)
	}
	return out
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestGopherMenu(t *testing.T) {
	b := files.Gopher(gopherFiles(t, map[string]string{
		"README": "plain text\n", "data": "\x00\x01", "empty": "", "page.html": "<p>", "sub/a.txt": "a", "sub/deep/b.gif": "GIF", ".secret": "x", "sub/.hidden/x": "x",
	}), files.GopherOptions{})
	wantLines(t, lines(t, b.Menu(t.Context(), "")), "0README|/README|", "9data|/data|", "9empty|/empty|", "hpage.html|/page.html|", "1sub|/sub|", "7Search names and texts|search:/|")
	for _, sel := range []string{"/sub", "sub", "sub/", "/sub/", "//sub//"} {
		wantLines(t, lines(t, b.Menu(t.Context(), sel)), "0a.txt|/sub/a.txt|", "1deep|/sub/deep|")
	}
	for sel, want := range map[string]gopher.Type{"": '1', "/": '1', "/README": '0', "README": '0', "/sub/deep": '1', "/sub/deep/b.gif": 'g', "search:/": '7', "search:/sub": '7'} {
		res, err := b.Stat(t.Context(), sel)
		if err != nil || res.Item.Type != want {
			t.Errorf("%q: %+v %v, want %s", sel, res, err, want)
		}
	}
	for _, sel := range []string{".secret", "/.secret", "/sub/.hidden", "/sub/.hidden/x", "..", "/../x", "/sub/../README", "/sub/./a.txt", "nothing", "search:/README", "search:/nothing", "/README/x", "\xff", ".", "a\\b"} {
		_, statErr := b.Stat(t.Context(), sel)
		if !errors.Is(statErr, fs.ErrNotExist) {
			t.Errorf("stat %q: %v", sel, statErr)
		}
		if f, err := b.Open(t.Context(), sel); err == nil {
			f.Close()
			t.Errorf("open %q", sel)
		}
		for _, err := range b.Menu(t.Context(), sel) {
			if err == nil {
				t.Errorf("menu of %q", sel)
			}
		}
	}
}

func TestGophermap(t *testing.T) {
	b := files.Gopher(gopherFiles(t, map[string]string{
		"gophermap": "!Welcome\r\n#comment\nA line of text\n\n0About us\tabout.txt\n1Sub\tsub\n1Root\t/\n1Friend\t/1/x\tfriend.example\t7070\n1Friend at 70\t/\tfriend.example\n" +
			"hWeb\tURL:http://example.org/\n0name only\t\n-gone.txt\n:dat=g\n- a dash\n=sub/part\n=/etc/passwd\n=../x\n=gophermap2\n~\nBad port\tx\th\tport\n*\nnever seen\n",
		"gone.txt": "x", "about.txt": "x", "x.dat": "\x00", "sub/gophermap": "only this\n.\nnot this\n", "sub/part": "included\n", "sub/a.txt": "x",
	}), files.GopherOptions{})
	wantLines(t, lines(t, b.Menu(t.Context(), "")), "iWelcome", "iA line of text", "i", "0About us|/about.txt|", "1Sub|/sub|", "1Root|/|",
		"1Friend|/1/x|friend.example", "1Friend at 70|/|friend.example", "hWeb|URL:http://example.org/|", "0name only|/name only|", "i- a dash", "iincluded", "i~", "iBad port x h port",
		"0about.txt|/about.txt|", "1sub|/sub|", "gx.dat|/x.dat|", "7Search names and texts|search:/|")
	wantLines(t, lines(t, b.Menu(t.Context(), "sub")), "ionly this")

	loop := files.Gopher(gopherFiles(t, map[string]string{"gophermap": "again\n=gophermap\n"}), files.GopherOptions{})
	wantLines(t, lines(t, loop.Menu(t.Context(), "")), slices.Repeat([]string{"iagain"}, 5)...)

	dir := files.Gopher(gopherFiles(t, map[string]string{"gophermap/x": "", "menu": "a menu\n"}), files.GopherOptions{NoSearch: true})
	wantLines(t, lines(t, dir.Menu(t.Context(), "")), "0menu|/menu|")
	named := files.Gopher(gopherFiles(t, map[string]string{"menu": "a menu\n"}), files.GopherOptions{Map: "menu"})
	wantLines(t, lines(t, named.Menu(t.Context(), "")), "ia menu")
}

func TestGopherSearch(t *testing.T) {
	tree := gopherFiles(t, map[string]string{
		"prairie.txt": "The dog of the PRAIRIE.\n", "sea.txt": "A dog by the sea.\n", "sub/cat.txt": "No such animal.\n", "dog.gif": "GIF89a", ".dog": "dog", "gophermap": "dog",
	})
	b, ok := files.Gopher(tree, files.GopherOptions{}).(gopher.Searcher)
	if !ok {
		t.Fatal("it does not search")
	}
	for words, want := range map[string][]string{
		"dog":                {"gdog.gif|/dog.gif|", "0prairie.txt|/prairie.txt|", "0sea.txt|/sea.txt|"},
		"Dog prairie":        {"0prairie.txt|/prairie.txt|"},
		"dog and SEA":        {"0sea.txt|/sea.txt|"},
		"dog not sea":        {"gdog.gif|/dog.gif|", "0prairie.txt|/prairie.txt|"},
		"sea or cat":         {"0sea.txt|/sea.txt|", "0sub/cat.txt|/sub/cat.txt|"},
		"sea or cat not dog": {"0sub/cat.txt|/sub/cat.txt|"},
		"sub":                {"1sub|/sub|", "0sub/cat.txt|/sub/cat.txt|"},
		"unicorn":            {"iNothing was found."},
		" ":                  {"iNo words to look for."},
		"and or not":         {"iNo words to look for."},
	} {
		wantLines(t, lines(t, b.Search(t.Context(), "search:/", words)), want...)
	}
	wantLines(t, lines(t, b.Search(t.Context(), "search:/sub", "dog")), "iNothing was found.")
	off := files.Gopher(tree, files.GopherOptions{NoSearch: true})
	if _, err := off.Stat(t.Context(), "search:/"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a search that was left out: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range b.Search(ended, "search:/", "dog") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a search without time: %v", err)
		}
	}
}

func TestGopherSearchEnds(t *testing.T) {
	content := map[string]string{}
	for i := range 300 {
		content["many/"+strings.Repeat("x", 1+i%100)+string(rune('a'+i/100))] = "dog\n"
	}
	b, _ := files.Gopher(gopherFiles(t, content), files.GopherOptions{}).(gopher.Searcher)
	got := lines(t, b.Search(t.Context(), "search:/", "x"))
	if len(got) != 201 || !strings.HasPrefix(got[200], "iThere may be more") {
		t.Errorf("%d results, at last %q", len(got), got[len(got)-1])
	}
}

// A file of the disk stays one, so that the kernel can send it.
func TestGopherGivesFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.gif"), []byte("GIF"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := filetree.Dir(root, filetree.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	f, err := files.Gopher(tree, files.GopherOptions{}).Open(t.Context(), "/a.gif")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("%T", f)
	}
}

func FuzzGophermap(f *testing.F) {
	f.Add("!t\n#c\n0a\tb\n=gophermap\n:x=g\n-y\n*\n")
	f.Add("1\t\t\t\n:\n=\n-\n\xff\n.\n")
	f.Fuzz(func(t *testing.T, text string) {
		tree := gopherFiles(t, map[string]string{"gophermap": text, "a.x": "x"})
		n := 0
		for _, err := range files.Gopher(tree, files.GopherOptions{}).Menu(t.Context(), "") {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if n++; n > 10_000 {
				break
			}
		}
	})
}
