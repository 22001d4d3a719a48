package newsgroup_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/store"
)

// model is the news, kept as simply as can be.
type model struct {
	groups  map[string]*modelGroup
	history map[string]bool
}

type modelGroup struct {
	there    bool
	high     int64
	articles map[int64]string // message identifiers
	status   newsgroup.Status
}

func (m *model) places(id string) int {
	n := 0
	for _, g := range m.groups {
		for _, other := range g.articles {
			if other == id {
				n++
			}
		}
	}
	return n
}

func (m *model) cancel(id string) {
	m.history[id] = true
	for _, g := range m.groups {
		maps.DeleteFunc(g.articles, func(_ int64, other string) bool { return other == id })
	}
}

type play struct {
	t   *testing.T
	s   *newsgroup.Store
	rng *rand.Rand
	m   model
	n   int
}

// Random operations do the same to a store and to a model.
func TestModel(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{})
		p := &play{t: t, s: s, rng: rand.New(rand.NewPCG(7, 1)), m: model{map[string]*modelGroup{}, map[string]bool{}}}
		for step := range 200 {
			p.step()
			if step%10 == 9 {
				p.check()
			}
			if t.Failed() {
				t.Fatalf("step %d", step)
			}
		}
		for name, g := range p.m.groups {
			if g.there {
				if err := s.Remove(t.Context(), name); err != nil {
					t.Error(err)
				}
				*g = modelGroup{high: g.high}
			}
		}
		p.check()
	})
}

func (p *play) group() string { return fmt.Sprintf("g.%d", p.rng.IntN(4)) }

func (p *play) id() string { return fmt.Sprintf("<%d@x>", p.rng.IntN(p.n+1)) }

func (p *play) step() {
	ctx := p.t.Context()
	switch n := p.rng.IntN(20); {
	case n < 2:
		name := p.group()
		status := []newsgroup.Status{newsgroup.Open, newsgroup.Moderated, newsgroup.ReadOnly}[p.rng.IntN(3)]
		err := p.s.Create(ctx, newsgroup.NewGroup{Name: name, Status: status})
		g := p.m.groups[name]
		if g == nil {
			g = &modelGroup{}
			p.m.groups[name] = g
		}
		if g.there != errors.Is(err, newsgroup.ErrExists) || !g.there && err != nil {
			p.t.Errorf("create %s: %v", name, err)
		}
		if err == nil {
			*g = modelGroup{there: true, high: g.high, articles: map[int64]string{}, status: status}
		}
	case n < 3:
		name := p.group()
		err := p.s.Remove(ctx, name)
		g := p.m.groups[name]
		if there := g != nil && g.there; there != (err == nil) {
			p.t.Errorf("remove %s: %v", name, err)
		}
		if err == nil {
			*g = modelGroup{high: g.high}
		}
	case n < 6:
		id := p.id()
		if err := p.s.Cancel(ctx, id); err != nil {
			p.t.Errorf("cancel %s: %v", id, err)
		}
		p.m.cancel(id)
	case n < 7:
		name := p.group()
		_, err := p.s.Expire(ctx, func(group string) time.Duration {
			if group == name {
				return 1
			}
			return 0
		})
		if err != nil {
			p.t.Error(err)
		}
		if g := p.m.groups[name]; g != nil {
			clear(g.articles)
		}
	default:
		p.post()
	}
}

func (p *play) post() {
	id := p.id()
	if p.rng.IntN(3) > 0 {
		p.n++
		id = fmt.Sprintf("<%d@x>", p.n)
	}
	local := p.rng.IntN(2) == 0
	names := []string{p.group(), p.group(), p.group()}[:1+p.rng.IntN(3)]
	var into []*modelGroup
	var want error
	for i, name := range names {
		g := p.m.groups[name]
		if g == nil || !g.there || slices.Contains(names[:i], name) {
			continue
		}
		into = append(into, g)
		if g.status == newsgroup.Moderated && !errors.Is(want, newsgroup.ErrModerated) {
			want = newsgroup.ErrModerated
		}
		if g.status == newsgroup.ReadOnly && local && want == nil {
			want = newsgroup.ErrReadOnly
		}
	}
	if len(into) == 0 {
		want = newsgroup.ErrNoGroup
	}
	if p.m.history[id] {
		want = newsgroup.ErrDuplicate
	}
	_, err := add(p.t, p.s, text(id, strings.Join(names, ","), "", id+"\r\n"), newsgroup.Arrival{Local: local})
	if !errors.Is(err, want) {
		p.t.Errorf("post %s to %v: %v, want %v", id, names, err, want)
	}
	if want != nil {
		return
	}
	p.m.history[id] = true
	for _, g := range into {
		g.high++
		g.articles[g.high] = id
	}
}

// check compares everything that can be seen.
func (p *play) check() {
	ctx := p.t.Context()
	var want []string
	for name, g := range p.m.groups {
		if g.there {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	var got []string
	for g, err := range p.s.Groups(ctx) {
		if err != nil {
			p.t.Fatal(err)
		}
		got = append(got, g.Name)
		p.checkGroup(g, p.m.groups[g.Name])
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("groups %v, want %v", got, want)
	}
	for id := range p.m.history {
		known, err := p.s.Known(ctx, id)
		if err != nil || !known {
			p.t.Errorf("%s: %t, %v", id, known, err)
		}
		a, err := p.s.ByID(ctx, id)
		places := p.m.places(id)
		if places == 0 != errors.Is(err, newsgroup.ErrNoArticle) {
			p.t.Errorf("%s: %v", id, err)
		}
		if places > 0 && !strings.HasSuffix(read(p.t, a), "\r\n\r\n"+id+"\r\n") {
			p.t.Errorf("%s reads %q", id, read(p.t, a))
		}
	}
}

func (p *play) checkGroup(g newsgroup.Group, m *modelGroup) {
	ctx := p.t.Context()
	want := slices.Sorted(maps.Keys(m.articles))
	low := m.high + 1
	if len(want) > 0 {
		low = want[0]
	}
	if g.Low != low || g.High != m.high || g.Count != int64(len(want)) || g.Status != m.status {
		p.t.Errorf("%+v, want %d to %d, %d", g, low, m.high, len(want))
	}
	var got []int64
	for a, err := range p.s.Articles(ctx, g.Name, 0, 1<<40) {
		if err != nil || a.ID() != m.articles[a.Number] {
			p.t.Errorf("%s %d: %s, %v", g.Name, a.Number, a.ID(), err)
		}
		got = append(got, a.Number)
	}
	var numbers []int64
	for n, err := range p.s.Numbers(ctx, g.Name, 0, 1<<40) {
		if err != nil {
			p.t.Error(err)
		}
		numbers = append(numbers, n)
	}
	if !slices.Equal(got, want) || !slices.Equal(numbers, want) {
		p.t.Errorf("%s has %v, %v, want %v", g.Name, got, numbers, want)
	}
	for i, n := range want {
		next, err := p.s.Next(ctx, g.Name, n)
		if i+1 < len(want) && (err != nil || next.Number != want[i+1]) || i+1 == len(want) && !errors.Is(err, newsgroup.ErrNoArticle) {
			p.t.Errorf("%s: after %d comes %d, %v", g.Name, n, next.Number, err)
		}
		last, err := p.s.Previous(ctx, g.Name, n)
		if i > 0 && (err != nil || last.Number != want[i-1]) || i == 0 && !errors.Is(err, newsgroup.ErrNoArticle) {
			p.t.Errorf("%s: before %d comes %d, %v", g.Name, n, last.Number, err)
		}
	}
}
