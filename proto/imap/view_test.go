package imap

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestView has a view and a plain list of UIDs go through the same changes.
func TestView(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		var model []uint32
		v := newView(nil)
		next := uint32(1)
		for range 40 {
			if r.IntN(3) > 0 || len(model) == 0 {
				next += uint32(r.IntN(3))
				var fresh Set
				for range r.IntN(6) {
					fresh.Add(next)
					model = append(model, next)
					next += 1 + uint32(r.IntN(3)/2)
				}
				if v.add(fresh) != (len(fresh) > 0) {
					t.Fatalf("seed %d: add(%s) tells the wrong thing", seed, fresh)
				}
			} else {
				model = dropSome(t, r, v, model)
			}
			checkView(t, r, v, model)
		}
	}
}

// dropSome removes random UIDs as EXPUNGE does, and has the model follow what
// it is told.
func dropSome(t *testing.T, r *rand.Rand, v *view, model []uint32) []uint32 {
	t.Helper()
	var gone Set
	for _, uid := range model {
		if r.IntN(4) == 0 {
			gone.Add(uid)
		}
	}
	told := slices.Clone(model)
	v.remove(gone, func(seq uint32) { told = slices.Delete(told, int(seq)-1, int(seq)) })
	left := slices.DeleteFunc(slices.Clone(model), gone.Contains)
	if !slices.Equal(told, left) {
		t.Fatalf("EXPUNGE of %s from %v leaves %v, not %v", gone, model, told, left)
	}
	return left
}

func checkView(t *testing.T, r *rand.Rand, v *view, model []uint32) {
	t.Helper()
	if int(v.count()) != len(model) || !slices.Equal(slices.Collect(v.all().All()), model) {
		t.Fatalf("view is %v (%d), model %v", v.all(), v.count(), model)
	}
	for i, uid := range model {
		if v.uid(uint32(i+1)) != uid || v.seq(uid) != uint32(i+1) {
			t.Fatalf("message %d has UID %d; view: %d, %d", i+1, uid, v.uid(uint32(i+1)), v.seq(uid))
		}
	}
	if v.uid(0) != 0 || v.uid(uint32(len(model)+1)) != 0 || v.seq(v.largest()+1) != 0 {
		t.Fatal("numbers that do not exist are found")
	}
	var seqs, uids Set
	var want, within, wantSeqs []uint32
	for i, uid := range model {
		if r.IntN(2) == 0 {
			seqs.Add(uint32(i + 1))
			want = append(want, uid)
		}
	}
	for uid := range v.largest() + 2 {
		if uid > 0 && r.IntN(2) == 0 {
			uids.Add(uid)
			if i := slices.Index(model, uid); i >= 0 {
				within, wantSeqs = append(within, uid), append(wantSeqs, uint32(i+1))
			}
		}
	}
	if got := slices.Collect(v.uids(seqs).All()); !slices.Equal(got, want) {
		t.Fatalf("uids(%s) of %v: %v", seqs, model, got)
	}
	if got := slices.Collect(v.within(uids).All()); !slices.Equal(got, within) {
		t.Fatalf("within(%s) of %v: %v", uids, model, got)
	}
	if got := slices.Collect(v.seqs(uids).All()); !slices.Equal(got, wantSeqs) {
		t.Fatalf("seqs(%s) of %v: %v, not %v", uids, model, got, wantSeqs)
	}
}

// TestSets compares sets with plain ones.
func TestSets(t *testing.T) {
	random := func(r *rand.Rand) (Set, map[uint32]bool) {
		var s Set
		m := map[uint32]bool{}
		for range r.IntN(6) {
			a, b := 1+r.Uint32N(30), 1+r.Uint32N(30)
			s = append(s, Range{a, b})
			for n := min(a, b); n <= max(a, b); n++ {
				m[n] = true
			}
		}
		return s.Resolve(30), m
	}
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 2))
		a, am := random(r)
		b, bm := random(r)
		for n := uint32(1); n <= 31; n++ {
			if a.Contains(n) != am[n] || a.Union(b).Contains(n) != (am[n] || bm[n]) ||
				a.Intersect(b).Contains(n) != (am[n] && bm[n]) || a.Minus(b).Contains(n) != (am[n] && !bm[n]) {
				t.Fatalf("seed %d: %d in %s and %s", seed, n, a, b)
			}
		}
		if a.Count() != len(am) {
			t.Fatalf("seed %d: %s counts %d, not %d", seed, a, a.Count(), len(am))
		}
		for _, s := range []Set{a.Union(b), a.Intersect(b), a.Minus(b)} {
			if back, err := ParseSet(s.String()); len(s) > 0 && (err != nil || !slices.Equal(back.Resolve(0), s)) {
				t.Fatalf("seed %d: %s is not in order", seed, s)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	var plain func(p, n string) bool
	plain = func(p, n string) bool {
		switch {
		case p == "":
			return n == ""
		case p[0] == '*':
			return plain(p[1:], n) || n != "" && plain(p, n[1:])
		case p[0] == '%':
			return plain(p[1:], n) || n != "" && n[0] != '/' && plain(p, n[1:])
		}
		return n != "" && p[0] == n[0] && plain(p[1:], n[1:])
	}
	letters := func(r *rand.Rand, from string) string {
		b := make([]byte, r.IntN(9))
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 3))
		p, n := letters(r, "ab/%*"), letters(r, "ab/")
		if matches(p, n) != plain(p, n) {
			t.Fatalf("%q and %q: %v", p, n, matches(p, n))
		}
	}
}

// TestViewIsSmall has many messages cost as much as few.
func TestViewIsSmall(t *testing.T) {
	uids := Set{{1, 1_000_000}}
	if n := testing.AllocsPerRun(10, func() {
		v := newView(uids)
		v.remove(One(500), func(uint32) {})
		if v.uid(999_999) != 1_000_000 || v.seq(501) != 500 {
			t.Error("wrong numbers")
		}
	}); n > 8 {
		t.Errorf("%v allocations", n)
	}
}

// claimer is a Mailbox all of whose messages have been told of.
type claimer struct{ Mailbox }

func (claimer) Claim(_ context.Context, upTo uint32, _ bool) (uint32, error) { return upTo + 1, nil }

// TestClaimOfTheLastUID has a mailbox in which the last UID that there is has been
// given: behind it nothing is \Recent.
func TestClaimOfTheLastUID(t *testing.T) {
	for _, last := range []uint32{2, math.MaxUint32} {
		s := &session{box: &selected{box: claimer{}, view: newView(Set{{1, 1}, {last, last}})}}
		if s.claim(t.Context()); s.box.recent.Count() > 0 {
			t.Errorf("up to %d: %v", last, s.box.recent)
		}
	}
}
