package sorted

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func keys(m Map, from, to string, down bool) []string {
	bound := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	walk := m.Ascend(bound(from), bound(to))
	if down {
		walk = m.Descend(bound(from), bound(to))
	}
	var out []string
	for k := range walk {
		out = append(out, string(k))
	}
	return out
}

// A map does what Go's map and a sort do, and none of its snapshots changes.
func TestMapAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	name := func() string { return string(rune('a'+rng.IntN(26))) + string(rune('a'+rng.IntN(26))) }
	model := map[string]string{}
	var m Map
	type snapshot struct {
		m    Map
		want []string
	}
	var taken []snapshot
	for range 5000 {
		k := name()
		if rng.IntN(3) == 0 {
			m = m.Delete([]byte(k))
			delete(model, k)
		} else {
			v := name()
			m = m.Set([]byte(k), []byte(v))
			model[k] = v
		}
		if rng.IntN(100) == 0 {
			taken = append(taken, snapshot{m, slices.Sorted(maps.Keys(model))})
		}
		got, ok := m.Get([]byte(k))
		if want, is := model[k]; ok != is || string(got) != want {
			t.Fatalf("%s: %q, %v; want %q, %v", k, got, ok, want, is)
		}
	}
	for _, s := range taken {
		from, to := name(), name()
		var want []string
		for _, k := range s.want {
			if from <= k && k < to {
				want = append(want, k)
			}
		}
		if got := keys(s.m, from, to, false); !slices.Equal(got, want) {
			t.Fatalf("from %s to %s: %q, want %q", from, to, got, want)
		}
		slices.Reverse(want)
		if got := keys(s.m, from, to, true); !slices.Equal(got, want) {
			t.Fatalf("from %s to %s, down: %q, want %q", from, to, got, want)
		}
		if got := keys(s.m, "", "", false); !slices.Equal(got, s.want) || s.m.Len() != len(s.want) {
			t.Fatalf("all: %q, want %q", got, s.want)
		}
	}
}

func TestWalkThatStops(t *testing.T) {
	var m Map
	for _, k := range []string{"a", "b", "c", "d"} {
		m = m.Set([]byte(k), nil)
	}
	for k := range m.Ascend(nil, nil) {
		if string(k) == "b" {
			break
		}
		if string(k) > "b" {
			t.Fatalf("went on to %s", k)
		}
	}
	for k := range m.Descend(nil, nil) {
		if string(k) == "c" {
			break
		}
		if string(k) < "c" {
			t.Fatalf("went on to %s", k)
		}
	}
}

// A tree that is changed where it lies does what Go's map and a sort do.
func TestTreeAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	name := func() string { return string(rune('a'+rng.IntN(26))) + string(rune('a'+rng.IntN(26))) }
	model := map[string]string{}
	var tree Tree
	for range 3000 {
		k, v := name(), name()
		tree.Set([]byte(k), []byte(v))
		model[k] = v
		probe := name()
		got, ok := tree.Get([]byte(probe))
		if want, is := model[probe]; ok != is || string(got) != want || tree.Len() != len(model) {
			t.Fatalf("%s: %q, %v; want %q, %v", probe, got, ok, want, is)
		}
	}
	from, to := "c", "x"
	var want, up, down []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if from <= k && k < to {
			want = append(want, k)
		}
	}
	for k := range tree.Ascend([]byte(from), []byte(to)) {
		up = append(up, string(k))
	}
	for k := range tree.Descend([]byte(from), []byte(to)) {
		down = append(down, string(k))
	}
	slices.Reverse(down)
	if !slices.Equal(up, want) || !slices.Equal(down, want) {
		t.Errorf("up %q, down %q, want %q", up, down, want)
	}
}
