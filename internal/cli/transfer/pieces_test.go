package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a server with one file, that lets in as many as come: it has another
// version now and then, breaks off anywhere, and remembers what a killed run
// would have left at any moment.
type shelf struct {
	mu      sync.Mutex
	s       *store
	single  bool // it gives no parts
	changes int  // one in so many requests finds another version; 0: none
	breaks  int  // one in so many reads breaks off; 0: none
	streams int  // how many are open
	most    int
	look    func()
}

func (h *shelf) open(ctx context.Context, r request) (*source, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changes > 0 && h.s.rand.IntN(h.changes) == 0 {
		h.s.now++
	}
	if h.breaks > 0 && h.s.rand.IntN(h.breaks) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	v, body := h.s.version(h.s.now), h.s.content(h.s.now)
	src := &source{version: v}
	if r.from > 0 && !h.single && v.Same(r.version) {
		src.from = r.from
		if r.to > 0 && r.to < v.Size {
			src.to, body = r.to, body[:r.to]
		}
	}
	h.streams++
	h.most = max(h.most, h.streams)
	src.body = &answer{h: h, ctx: ctx, r: bytes.NewReader(body[src.from:])}
	return src, nil
}

// little is a store of small files.
func little(seed uint64, tagged bool) *store {
	s := &store{rand: rand.New(rand.NewPCG(seed, 3)), tagged: tagged, made: map[int][]byte{}}
	for version := range 100 {
		b := make([]byte, 2000+s.rand.IntN(3000))
		for i := range b {
			b[i] = byte(version*31 + i*7)
		}
		s.made[version] = b
	}
	return s
}

// answer is the body of an answer.
type answer struct {
	h   *shelf
	ctx context.Context
	r   *bytes.Reader
	end sync.Once
}

func (p *answer) Read(b []byte) (int, error) {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	if p.h.look != nil {
		p.h.look()
	}
	if p.h.breaks > 0 && p.h.s.rand.IntN(p.h.breaks) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return p.r.Read(b[:min(len(b), 1+p.h.s.rand.IntN(100))])
}

func (p *answer) Close() error {
	p.end.Do(func() {
		p.h.mu.Lock()
		defer p.h.mu.Unlock()
		p.h.streams--
	})
	return nil
}

// left is what a run has left behind.
type left struct{ part, note []byte }

func leftIn(dir string) (l left) {
	l.note, _ = os.ReadFile(filepath.Join(dir, "f.part.json")) // the note first: what is here is never less than it says
	l.part, _ = os.ReadFile(filepath.Join(dir, "f.part"))
	return l
}

// check wants what the note says to be so.
func (l left) check(t *testing.T, s *store) {
	t.Helper()
	var n note
	if json.Unmarshal(l.note, &n) != nil {
		return // a torn one: nobody believes it
	}
	for version := range s.now + 1 {
		if !s.version(version).Same(n.Version) {
			continue
		}
		have := n.Have
		if have == nil {
			have = cover{}.add(extent{0, int64(len(l.part))})
		}
		for _, e := range have.cut(int64(len(l.part))) {
			if !bytes.Equal(l.part[e[0]:e[1]], s.content(version)[e[0]:e[1]]) {
				t.Fatalf("bytes %d to %d are not those of the version that the note names", e[0], e[1])
			}
		}
		return
	}
	t.Fatalf("the note names no version: %s", l.note)
}

// TestPiecesAreOfOneVersion breaks streams off at any byte, changes the file
// while it comes in pieces, and begins again from what was there at any moment,
// as after a kill: what has its name is always one version whole.
func TestPiecesAreOfOneVersion(t *testing.T) {
	whole, resumed, most := 0, 0, 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := little(seed, seed%2 == 0)
			h := &shelf{s: s, changes: 30, breaks: 60, single: seed%5 == 4}
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			for run := range 12 {
				var killed *left
				h.look = func() {
					if s.rand.IntN(50) == 0 {
						l := leftIn(dir)
						l.check(t, s)
						killed = &l
					}
				}
				c := &Client{o: Options{Retries: 2, Segments: 1 + s.rand.IntN(5)}, meter: &Meter{}, piece: 60}
				r := Result{share: c.meter.announce(-1)}
				err := c.fetch(t.Context(), h.open, &part{root: root, name: "f", url: "u"}, &r)
				if err == nil {
					whole++
					isOneVersion(t, s, dir)
				} else {
					leftIn(dir).check(t, s)
				}
				if r.Resumed > 0 {
					resumed++
				}
				if c.meter.Bytes.Load() > c.meter.Expected.Load() {
					t.Errorf("%d bytes of %d have come", c.meter.Bytes.Load(), c.meter.Expected.Load())
				}
				if killed != nil && run%2 == 0 {
					write(t, filepath.Join(dir, "f.part"), string(killed.part))
					write(t, filepath.Join(dir, "f.part.json"), string(killed.note))
				}
			}
			most = max(most, h.most)
		})
	}
	if whole < 15 || resumed < 15 || most < 4 {
		t.Errorf("%d came whole, %d went on, %d at once: that proves little", whole, resumed, most)
	}
}

// isOneVersion wants the file to be one of those that there have been.
func isOneVersion(t *testing.T, s *store, dir string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if l := leftIn(dir); l.part != nil || l.note != nil {
		t.Fatal("a part is left behind")
	}
	for version := range s.now + 1 {
		if bytes.Equal(got, s.content(version)) {
			return
		}
	}
	t.Fatalf("a file that was none of the server's: %d bytes", len(got))
}

// TestPiecesOfServersThatGiveNone: one stream brings all.
func TestPiecesOfServersThatGiveNone(t *testing.T) {
	for _, c := range []struct {
		name     string
		single   bool
		segments int
		most     int
	}{
		{"parts", false, 4, 4},
		{"no parts", true, 4, 4}, // each is opened, and closed
		{"not asked", false, 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := little(7, true)
			h := &shelf{s: s, single: c.single}
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			client := &Client{o: Options{Segments: c.segments}, meter: &Meter{}, piece: 60}
			r := Result{share: client.meter.announce(-1)}
			err = client.fetch(t.Context(), h.open, &part{root: root, name: "f", url: "u"}, &r)
			if err != nil || r.Tries != 1 || h.most > c.most || r.Bytes != int64(len(s.content(0))) || h.streams != 0 {
				t.Errorf("%s: %d tries, %d bytes, %d at once, %d still open, %v", c.name, r.Tries, r.Bytes, h.most, h.streams, err)
			}
			isOneVersion(t, s, dir)
		})
	}
}

// told is a body that tells of the first look at it.
type told struct {
	io.ReadCloser
	tell func()
}

func (b told) Read(p []byte) (int, error) {
	b.tell()
	return b.ReadCloser.Read(p)
}

// TestAFirstPieceThatIsAskedForAgain: the first stream ends before its first
// byte, when another has begun. Whoever asks for the beginning again is told of
// an error, or gets another file: neither is glued to what came.
func TestAFirstPieceThatIsAskedForAgain(t *testing.T) {
	old, other := bytes.Repeat([]byte("old "), 1<<20), bytes.Repeat([]byte("new "), 1<<20)
	for _, page := range []bool{true, false} {
		begun := make(chan struct{})
		var asked atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, tag, content := asked.Add(1), `"old"`, old
			switch {
			case n == 1:
				w.Header().Set("Etag", tag)
				w.Header().Set("Content-Length", strconv.Itoa(len(content)))
				_ = http.NewResponseController(w).Flush()
				<-begun
				panic(http.ErrAbortHandler)
			case n == 2:
			case page && n < 5:
				http.Error(w, "come later", http.StatusServiceUnavailable)
				return
			case !page:
				tag, content = `"new"`, other
			}
			w.Header().Set("Etag", tag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}))
		u, err := url.Parse(srv.URL + "/f")
		if err != nil {
			t.Fatal(err)
		}
		c, err := New(Options{Segments: 2, Retries: 5}, []*url.URL{u})
		if err != nil {
			t.Fatal(err)
		}
		tell := sync.OnceFunc(func() { close(begun) })
		get := func(ctx context.Context, r request) (*source, error) {
			s, err := c.urlOpener(u, nil)(ctx, r)
			if s != nil && s.from > 0 {
				s.body = told{s.body, tell}
			}
			return s, err
		}
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		err = c.fetch(t.Context(), get, &part{root: root, name: "f", url: u.String()}, &Result{share: c.meter.announce(-1)})
		got, missing := os.ReadFile(filepath.Join(dir, "f"))
		if err = errors.Join(err, missing); err != nil || !bytes.Equal(got, old) && !bytes.Equal(got, other) {
			t.Errorf("%.20q and so on, %v", got, err)
		}
		root.Close()
		c.Close()
		srv.Close()
	}
}

// sour is a body whose server says at the end that all was not well.
type sour struct{ io.ReadCloser }

func (s sour) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if err == io.EOF {
		err = io.ErrNoProgress
	}
	return n, err
}

// TestPiecesHearTheEnd: what a server says behind the last byte counts.
func TestPiecesHearTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &shelf{s: little(3, true)}
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		c := &Client{o: Options{Segments: 3}, meter: &Meter{}, piece: 60}
		get := func(ctx context.Context, r request) (*source, error) {
			s, err := h.open(ctx, r)
			if s != nil && s.to == 0 {
				s.body = sour{s.body}
			}
			return s, err
		}
		err = c.fetch(t.Context(), get, &part{root: root, name: "f", url: "u"}, &Result{share: c.meter.announce(-1)})
		if !errors.Is(err, io.ErrNoProgress) {
			t.Error(err)
		}
	})
}

// TestADeadRunsPieces leaves parts as a killed process, or the end of the
// power, does; the next run fetches what is missing, and nothing else.
func TestADeadRunsPieces(t *testing.T) {
	s := little(1, true)
	whole := s.content(0)
	size := int64(len(whole))
	sparse := func(have cover) []byte {
		b := make([]byte, have[len(have)-1][1])
		for _, e := range have {
			copy(b[e[0]:e[1]], whole[e[0]:e[1]])
		}
		return b
	}
	for _, c := range []struct {
		name     string
		have     string
		part     []byte
		segments int
		single   bool
		resumed  int64
	}{
		{"pieces", "[[0,500],[700,900]]", sparse(cover{{0, 500}, {700, 900}}), 3, false, 700},
		{"without --segments", "[[0,500],[700,900]]", sparse(cover{{0, 500}, {700, 900}}), 1, false, 700},
		{"not from the beginning", "[[600,900]]", sparse(cover{{600, 900}}), 3, false, 300},
		{"none", "[]", []byte("xxxx"), 3, false, 0},
		{"noted more than is there", "[[0,500],[700,900]]", sparse(cover{{0, 500}, {700, 800}}), 3, false, 600},
		{"of a server without parts", "[[0,500],[700,900]]", sparse(cover{{0, 500}, {700, 900}}), 3, true, 0},
		{"nonsense", "[[5,2]]", whole[:900], 3, false, 0},
		{"beyond the end", "[[0,999999]]", whole[:900], 3, false, 0},
		{"whole", "[[0," + fmt.Sprint(size) + "]]", whole, 3, false, size},
		{"a plain part", "", whole[:600], 3, false, 600},
	} {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		have := ""
		if c.have != "" {
			have = `,"have":` + c.have
		}
		write(t, filepath.Join(dir, "f.part"), string(c.part))
		write(t, filepath.Join(dir, "f.part.json"), fmt.Sprintf(`{"url":"u","size":%d,"etag":%q%s}`, size, s.version(0).ETag, have))
		h := &shelf{s: s, single: c.single}
		client := &Client{o: Options{Segments: c.segments}, meter: &Meter{}, piece: 60}
		r := Result{share: client.meter.announce(-1)}
		err = client.fetch(t.Context(), h.open, &part{root: root, name: "f", url: "u"}, &r)
		if err != nil || r.Resumed != c.resumed || r.Bytes != size-c.resumed || client.meter.Bytes.Load() != size {
			t.Errorf("%s: %d were here, %d came of %d, %v", c.name, r.Resumed, r.Bytes, size, err)
		}
		isOneVersion(t, s, dir)
		root.Close()
	}
}
