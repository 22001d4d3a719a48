package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// store is a server with one file, whose versions follow each other.
type store struct {
	rand   *rand.Rand
	now    int
	tagged bool // it tells a version by its ETag, else by size and time
	made   map[int][]byte
}

// content is that of a version: no two agree in any byte. Most are longer than
// what is noted while it comes, some go through memory.
func (s *store) content(version int) []byte {
	if b, ok := s.made[version]; ok {
		return b
	}
	r := rand.New(rand.NewPCG(7, uint64(version)))
	b := make([]byte, []int{1000, bufferSize + 1, noteAfter + 100_000}[r.IntN(3)]+r.IntN(1000))
	for i := range b {
		b[i] = byte(version*31 + i*7)
	}
	if s.made == nil {
		s.made = map[int][]byte{}
	}
	s.made[version] = b
	return b
}

func (s *store) version(n int) Version {
	v := Version{Size: int64(len(s.content(n)))}
	if s.tagged {
		v.ETag = fmt.Sprintf(`"%d"`, n)
	} else {
		v.Modified = time.Unix(1e9+int64(n), 0)
	}
	return v
}

// open is an opener that now and then has another version, and breaks off
// anywhere.
func (s *store) open(_ context.Context, r request) (*source, error) {
	if s.rand.IntN(5) == 0 {
		s.now++
	}
	if s.rand.IntN(8) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	v, body := s.version(s.now), s.content(s.now)
	src := &source{version: v}
	if r.from > 0 && v.Same(r.version) {
		src.from, body = r.from, body[r.from:]
	}
	src.body = io.NopCloser(bytes.NewReader(body))
	first := bytes.NewReader(body[:s.rand.IntN(len(body)+1)])
	switch s.rand.IntN(5) {
	case 0, 1:
		src.body = io.NopCloser(io.MultiReader(first, broken{}))
	case 2:
		src.body = io.NopCloser(io.MultiReader(first, killed{}))
	}
	return src, nil
}

// killed ends the run where it stands, as the end of a process does.
type killed struct{}

func (killed) Read([]byte) (int, error) { panic(killed{}) }

func run(f func() error) (alive bool, err error) {
	defer func() {
		if p := recover(); p != nil && p != (killed{}) {
			panic(p)
		}
	}()
	err = f()
	return true, err
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestAFileIsOfOneVersion breaks transfers off at any byte, changes the file
// between tries and between runs, and ends runs without a word: what has its
// name is always one version whole, and what is noted is the beginning of the
// version that the note names.
func TestAFileIsOfOneVersion(t *testing.T) {
	whole, resumed := 0, 0
	for seed := range uint64(16) {
		synctest.Test(t, func(t *testing.T) {
			s := &store{rand: rand.New(rand.NewPCG(seed, 1)), tagged: seed%2 == 0}
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			c := &Client{o: Options{Retries: 2}, meter: &Meter{}}
			for range 20 {
				r := Result{share: c.meter.announce(-1)}
				p := &part{root: root, name: "f", url: "u"}
				if s.rand.IntN(2) == 0 {
					p.path, p.turn = filepath.Join(dir, "f"), &sync.Mutex{}
					info, err := os.Lstat(p.path)
					if p.fresh = err != nil; !p.fresh {
						p.size = info.Size()
					}
				}
				alive, err := run(func() error { return c.fetch(t.Context(), s.open, p, &r) })
				if !alive {
					p.f.Close()
				}
				check(t, s, dir, err, alive)
				if err == nil && alive {
					whole++
				}
				if r.Resumed > 0 {
					resumed++
				}
				if err == nil && s.rand.IntN(2) == 0 {
					os.Remove(filepath.Join(dir, "f"))
				}
			}
		})
	}
	if whole < 20 || resumed < 20 {
		t.Errorf("%d came whole and %d went on: that proves little", whole, resumed)
	}
}

// check looks at what a run has left.
func check(t *testing.T, s *store, dir string, err error, alive bool) {
	t.Helper()
	if err == nil && alive {
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		if err != nil || !bytes.Equal(got, s.content(s.now)) {
			t.Fatalf("a file that is none of the server's: %d bytes, %v", len(got), err)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "f.part*"))
		if len(left) > 0 {
			t.Fatalf("%q is left behind", left)
		}
		return
	}
	text, noErr := os.ReadFile(filepath.Join(dir, "f.part.json"))
	if noErr != nil {
		if _, err := os.Stat(filepath.Join(dir, "f.part")); err == nil && alive {
			t.Fatal("a part without a note, after a failure in good order")
		}
		return
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		t.Fatal(err)
	}
	got, readErr := os.ReadFile(filepath.Join(dir, "f.part"))
	for version := range s.now + 1 {
		if s.version(version).Same(n.Version) {
			if readErr != nil || !bytes.HasPrefix(s.content(version), got) {
				t.Fatalf("the part is no beginning of the version that the note names")
			}
			return
		}
	}
	t.Fatalf("the note names no version: %s", text)
}

// TestADeadRunIsGoneOnWith leaves parts as a killed process does: some bytes
// and perhaps a note.
func TestADeadRunIsGoneOnWith(t *testing.T) {
	s := &store{rand: rand.New(rand.NewPCG(1, 1)), tagged: true}
	whole := bytes.Repeat([]byte("0123456789"), 1000)
	s.made = map[int][]byte{0: whole}
	for _, c := range []struct {
		name string
		part []byte
		note string
		from int64 // where it goes on
	}{
		{"noted", whole[:5000], `{"url":"u","size":` + fmt.Sprint(len(whole)) + `,"etag":"\"0\""}`, 5000},
		{"no note", whole[:5000], "", 0},
		{"another URL", whole[:5000], `{"url":"other","size":-1,"etag":"\"0\""}`, 0},
		{"an old version", bytes.Repeat([]byte("x"), 5000), `{"url":"u","size":9999,"etag":"\"old\""}`, 0},
		{"no validator", whole[:5000], `{"url":"u","size":9999}`, 0},
		{"torn note", whole[:5000], `{"url":"u","si`, 0},
		{"longer than the file", make([]byte, len(whole)+1), `{"url":"u","size":` + fmt.Sprint(len(whole)) + `,"etag":"\"0\""}`, 0},
		{"note alone", nil, `{"url":"u","size":9999,"etag":"\"0\""}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			if c.part != nil {
				write(t, filepath.Join(dir, "f.part"), string(c.part))
			}
			if c.note != "" {
				write(t, filepath.Join(dir, "f.part.json"), c.note)
			}
			r := Result{share: (&Meter{}).announce(-1)}
			client := &Client{meter: &Meter{}}
			open := func(_ context.Context, r request) (*source, error) {
				from := int64(0)
				if r.from > 0 && s.version(0).Same(r.version) {
					from = r.from
				}
				return &source{body: io.NopCloser(bytes.NewReader(whole[from:])), from: from, version: s.version(0)}, nil
			}
			if err := client.fetch(t.Context(), open, &part{root: root, name: "f", url: "u"}, &r); err != nil || r.Resumed != c.from {
				t.Errorf("resumed at %d, want %d; %v", r.Resumed, c.from, err)
			}
			check(t, s, dir, nil, true)
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsWrittenIsNotTakenBack breaks a transfer to a stream.
func TestWhatIsWrittenIsNotTakenBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		known bool
		want  string
		tries int
	}{
		{"goes on", true, "hello, world", 2},
		{"cannot", false, "hello", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			v := Version{Size: 12}
			if c.known {
				v.ETag = `"x"`
			}
			open := func(_ context.Context, r request) (*source, error) {
				src := &source{version: v, from: r.from, body: io.NopCloser(bytes.NewReader([]byte("hello, world"[r.from:])))}
				if r.from == 0 {
					src.body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte("hello")), broken{}))
				}
				return src, nil
			}
			r := Result{share: (&Meter{}).announce(-1)}
			client := &Client{o: Options{Retries: 3}, meter: &Meter{}}
			err := client.fetch(t.Context(), open, &stream{w: &out}, &r)
			if out.String() != c.want || r.Tries != c.tries || (err == nil) != c.known {
				t.Errorf("%s: %q after %d tries, %v", c.name, out.String(), r.Tries, err)
			}
		})
	}
}

// TestRetries counts tries, in no time.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		err   error
		tries int
	}{
		{io.ErrUnexpectedEOF, 4},
		{&StatusError{503, "503"}, 4},
		{&later{errors.New("421")}, 4},
		{&StatusError{404, "404"}, 1},
		{failuref(CodeLogin, "530"), 1},
		{failure(CodeWrite, io.ErrShortWrite), 1},
		{dialed(io.ErrClosedPipe), 1},
		{&patience{&StatusError{503, "503"}, time.Hour}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r := Result{share: (&Meter{}).announce(-1)}
			said := 0
			client := &Client{o: Options{Retries: 3, Say: func(string, ...any) { said++ }}, meter: &Meter{}}
			open := func(context.Context, request) (*source, error) { return nil, c.err }
			err := client.fetch(t.Context(), open, &stream{w: io.Discard}, &r)
			if !errors.Is(err, c.err) || r.Tries != c.tries || said != c.tries-1 {
				t.Errorf("%v: %d tries, want %d; that it tries again was said %d times", err, r.Tries, c.tries, said)
			}
			if took := time.Since(began); c.tries == 1 && took > 0 || c.tries > 1 && (took < time.Second || took > 10*time.Second) {
				t.Errorf("%v: waited %v", c.err, took)
			}
		})
	}
}
