package transfer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// made is a tree as a server may make it up.
type made struct {
	files   map[string][]entry // by directory
	content map[string]string
	busy    atomic.Int32 // who is let in at once; 0: everybody
	in      atomic.Int32
	opened  atomic.Int32
}

func (m *made) list(_ context.Context, dir entry) (listing, error) {
	if dir.path != "." && m.files[dir.path] == nil && m.files["*"] != nil {
		return listing{entries: []entry{{path: dir.path + "/deeper", dir: true}}}, nil
	}
	return listing{entries: m.files[dir.path], whole: true}, nil
}

func (m *made) look(_ context.Context, e entry) (Version, error) { return e.version, nil }
func (m *made) at(e entry) string                                { return "made:" + e.path }
func (*made) sum(context.Context, entry) (algorithm, sum string, err error) {
	return "", "", errNoSum
}

func (m *made) open(_ context.Context, e entry, _ request) (*source, error) {
	m.opened.Add(1)
	if n := m.in.Add(1); m.busy.Load() > 0 && n > m.busy.Load() {
		m.in.Add(-1)
		return nil, &crowded{reply(421)}
	}
	text := m.content[e.path]
	return &source{body: &leaving{strings.NewReader(text), m}, version: Version{Size: int64(len(text)), Modified: time.Unix(1e9, 0)}}, nil
}

type leaving struct {
	io.Reader
	m *made
}

func (l *leaving) Close() error { l.m.in.Add(-1); return nil }

// brought mirrors a made tree into dir.
func brought(t *testing.T, tree tree, dir string, parallel int, how Mirror) []Result {
	t.Helper()
	var all []Result
	c := &Client{o: Options{Parallel: parallel}, meter: &Meter{}}
	if err := c.mirror(t.Context(), tree, dir, how, func(r Result) { all = append(all, r) }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Result) int { return strings.Compare(a.File, b.File) })
	return all
}

func named(names ...string) []entry {
	var all []entry
	for _, n := range names {
		dir := strings.HasSuffix(n, "/")
		all = append(all, entry{path: strings.TrimSuffix(n, "/"), dir: dir, version: unknown})
	}
	return all
}

// TestNothingIsWrittenOutside mirrors a server that tries.
func TestNothingIsWrittenOutside(t *testing.T) {
	around := t.TempDir()
	dir := filepath.Join(around, "target")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "out")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	evil := []string{"../up", "/abs", "a/../../up", "..", ".", "", "a\x00b", "line\nbreak", "out/up", "out/", "sub/"}
	tree := &made{content: map[string]string{}, files: map[string][]entry{".": named(append(evil, "good")...), "sub": named("sub/../../x", "sub/fine"), "out": named("out/up2")}}
	all := brought(t, tree, dir, 2, Mirror{})
	var good []string
	for _, r := range all {
		if r.Err == nil {
			good = append(good, r.File)
		}
	}
	if !slices.Equal(good, []string{"good", "sub/fine"}) {
		t.Errorf("written: %q", good)
	}
	if got := treeOf(t, around); !slices.Equal(got, []string{"target/", "target/good", "target/out", "target/sub/", "target/sub/fine"}) {
		t.Errorf("%q", got)
	}
}

// treeOf is what lies below a directory.
func treeOf(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		if d.IsDir() {
			p += "/"
		}
		all = append(all, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLoopsEnd mirrors a server whose directories go on for ever, and one whose
// menus lead back.
func TestLoopsEnd(t *testing.T) {
	endless := &made{files: map[string][]entry{".": named("d/"), "*": named("x")}}
	all := brought(t, endless, t.TempDir(), 4, Mirror{})
	if len(all) != 1 || all[0].Err == nil || !strings.Contains(all[0].Err.Error(), "deeper than") {
		t.Errorf("%+v", all)
	}
	back := &made{files: map[string][]entry{".": named("a/", "f"), "a": named("a/", "f", "b/"), "b": named("a/", "a/g")}}
	all = brought(t, back, t.TempDir(), 4, Mirror{})
	if len(all) != 2 || back.opened.Load() != 2 {
		t.Errorf("%+v, %d opened", all, back.opened.Load())
	}
}

// TestFewerAtOnce mirrors a server that lets two of us in.
func TestFewerAtOnce(t *testing.T) {
	tree := &made{files: map[string][]entry{}, content: map[string]string{}}
	tree.busy.Store(2)
	for i := range 50 {
		name := fmt.Sprintf("f%02d", i)
		tree.files["."] = append(tree.files["."], named(name)...)
		tree.content[name] = name
	}
	dir := t.TempDir()
	all := brought(t, tree, dir, 8, Mirror{})
	for _, r := range all {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File, r.Err)
		}
	}
	if len(all) != 50 || len(treeOf(t, dir)) != 50 {
		t.Errorf("%d results, %d files", len(all), len(treeOf(t, dir)))
	}
}

// TestAPartTakesNoFilesName mirrors files that are called as parts are.
func TestAPartTakesNoFilesName(t *testing.T) {
	tree := &made{content: map[string]string{}, files: map[string][]entry{}}
	big := strings.Repeat("x", 2*noteAfter)
	for _, name := range []string{"a", "a.part", "a.part.json", "a.part.part"} {
		tree.files["."] = append(tree.files["."], named(name)...)
		tree.content[name] = name + big
	}
	dir := t.TempDir()
	brought(t, tree, dir, 4, Mirror{})
	for name, want := range tree.content {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if got := treeOf(t, dir); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

// TestWhatIsSkipped asks for a file that is here already.
func TestWhatIsSkipped(t *testing.T) {
	when := time.Unix(1e9, 0)
	for _, c := range []struct {
		name   string
		e      entry
		here   string
		action string
		why    string
	}{
		{"same", entry{version: Version{Size: 4, Modified: when}, exact: true}, "text", ActionSkip, sameTime},
		{"no time", entry{version: Version{Size: 4}}, "xxxx", ActionSkip, SameSize},
		{"size", entry{version: Version{Size: 5, Modified: when}, exact: true}, "text", ActionGet, ""},
		{"newer", entry{version: Version{Size: 4, Modified: when.Add(time.Second)}, exact: true}, "text", ActionGet, ""},
		{"older", entry{version: Version{Size: 4, Modified: when.Add(-time.Second)}, exact: true}, "text", ActionGet, ""},
		{"nothing known, same", entry{version: unknown}, "text", ActionSkip, sameText},
		{"nothing known, other", entry{version: unknown}, "xxxx", ActionGet, ""},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "f"), c.here)
		if err := os.Chtimes(filepath.Join(dir, "f"), when, when.Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		c.e.path = "f"
		tree := &made{files: map[string][]entry{".": {c.e}}, content: map[string]string{"f": "text"}}
		all := brought(t, tree, dir, 1, Mirror{})
		if len(all) != 1 || all[0].Err != nil || all[0].Action != c.action || all[0].Skipped != c.why {
			t.Errorf("%s: %+v", c.name, all)
		}
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		if want := map[string]string{ActionGet: "text", ActionSkip: c.here}[c.action]; err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		if left := treeOf(t, dir); len(left) != 1 {
			t.Errorf("%s: %q", c.name, left)
		}
	}
}

// TestDeleteAndDryRun removes what is not there, or says so.
func TestDeleteAndDryRun(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"keep/a", "keep/b.part", "gone/deep/x", "new.part", "new.part.json", "stale.part"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), "x")
	}
	tree := &made{files: map[string][]entry{".": named("keep/", "new"), "keep": named("keep/a", "keep/b")}, content: map[string]string{"keep/a": "x"}}
	before := treeOf(t, dir)
	dry := brought(t, tree, dir, 1, Mirror{Delete: true, DryRun: true})
	if after := treeOf(t, dir); !slices.Equal(before, after) {
		t.Errorf("a dry run: %q", after)
	}
	wet := brought(t, tree, dir, 1, Mirror{Delete: true})
	var said, done []string
	for _, r := range dry {
		said = append(said, r.Action+" "+r.File)
	}
	for _, r := range wet {
		done = append(done, r.Action+" "+r.File)
	}
	if want := []string{"delete gone", "compare keep/a", "get keep/b", "get new", "delete stale.part"}; !slices.Equal(said, want) {
		t.Errorf("said %q", said)
	}
	if want := []string{"delete gone", "skip keep/a", "get keep/b", "get new", "delete stale.part"}; !slices.Equal(done, want) {
		t.Errorf("done %q", done)
	}
	if got := treeOf(t, dir); !slices.Equal(got, []string{"keep/", "keep/a", "keep/b", "new"}) {
		t.Errorf("%q", got)
	}
}

// TestTheMeterAgrees counts what a mirror moves.
func TestTheMeterAgrees(t *testing.T) {
	m := &Meter{}
	a, b, c := m.announce(10), m.announce(-1), m.announce(5)
	if m.Unsized.Load() != 1 || m.Expected.Load() != 15 {
		t.Errorf("%d of unknown size, %d bytes", m.Unsized.Load(), m.Expected.Load())
	}
	a.begin(10, 4)
	a.add(3)
	a.begin(12, 0) // anew, and larger
	a.add(12)
	b.begin(-1, 0)
	b.add(7)
	c.end() // failed before anything came
	a.end()
	b.end()
	if m.Bytes.Load() != 19 || m.Expected.Load() != 19 || m.Here.Load() != 0 || m.Unsized.Load() != 0 || m.Done.Load() != 3 {
		t.Errorf("bytes %d of %d, here %d, unsized %d, done %d", m.Bytes.Load(), m.Expected.Load(), m.Here.Load(), m.Unsized.Load(), m.Done.Load())
	}
}

// TestBelow writes the URLs of a tree's entries.
func TestBelow(t *testing.T) {
	base, err := url.Parse("ftp://h/pub")
	if err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]entry{
		"ftp://h/pub":             {path: ".", dir: true},
		"ftp://h/pub/a%20b/":      {path: "a b", dir: true},
		"ftp://h/pub/d/x%23y%3Fz": {path: "d/x#y?z"},
	} {
		if got := below(base, e).String(); got != want {
			t.Errorf("%+v: %s, want %s", e, got, want)
		}
	}
}
