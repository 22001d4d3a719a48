package newsgroup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
	"github.com/farend-go/farend/store/memstore"
	"github.com/farend-go/farend/store/storetest"
)

// engines runs a test over each engine.
func engines(t *testing.T, f func(t *testing.T, e store.Engine)) {
	t.Run("memstore", func(t *testing.T) {
		e := memstore.New(memstore.Options{})
		defer e.Close()
		f(t, e)
	})
	t.Run("diskstore", func(t *testing.T) {
		e, err := diskstore.Open(t.TempDir(), diskstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		f(t, e)
	})
}

func text(id, groups, more, body string) string {
	return "Path: far.example!not-for-mail\r\nFrom: ann@example.org\r\nNewsgroups: " + groups + "\r\nSubject: a\tb\r\n\tc\r\n" +
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: " + id + "\r\n" + more + "\r\n" + body
}

func add(t *testing.T, s *newsgroup.Store, text string, a newsgroup.Arrival) ([]newsgroup.Place, error) {
	t.Helper()
	d, err := s.NewDraft(t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for len(text) > 0 { // in pieces, wherever they end
		n := min(7, len(text))
		if _, err := io.WriteString(d, text[:n]); err != nil {
			return nil, err
		}
		text = text[n:]
	}
	return s.Add(t.Context(), d, a)
}

func create(t *testing.T, s *newsgroup.Store, name string, status newsgroup.Status) {
	t.Helper()
	if err := s.Create(t.Context(), newsgroup.NewGroup{Name: name, Status: status, Description: "about\t" + name, Creator: "ann@example.org"}); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, a newsgroup.Article) string {
	t.Helper()
	x, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	body, err := io.ReadAll(x.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(x.Header) + "\r\n" + string(body)
}

func TestAnArticleInTwoGroups(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{Host: "news.example", Overview: []string{"Newsgroups", "Keywords"}})
		create(t, s, "local.a", 0)
		create(t, s, "local.b", 0)
		for i := range 3 {
			if _, err := add(t, s, text(fmt.Sprintf("<b%d@x>", i), "local.b", "", "x\r\n"), newsgroup.Arrival{}); err != nil {
				t.Fatal(err)
			}
		}
		places, err := add(t, s, text("<1@x>", "local.a, local.b,nowhere.c", "References: <b0@x>\r\n\t<b1@x>\r\n", "one\r\n.two\r\n"), newsgroup.Arrival{})
		if err != nil || len(places) != 2 || places[0] != (newsgroup.Place{Group: "local.a", Number: 1}) || places[1].Number != 4 {
			t.Fatal(places, err)
		}
		a, err := s.Article(t.Context(), "local.b", 4)
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, a)
		want := strings.Replace(text("<1@x>", "local.a, local.b,nowhere.c", "References: <b0@x>\r\n\t<b1@x>\r\n", "one\r\n.two\r\n"), "\r\n\r\n", "\r\nXref: news.example local.a:1 local.b:4\r\n\r\n", 1)
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		overview := fmt.Sprintf("a b c\tann@example.org\tSat, 21 Nov 2026 10:00:00 +0000\t<1@x>\t<b0@x> <b1@x>\t%d\t2\tXref: news.example local.a:1 local.b:4\tNewsgroups: local.a, local.b,nowhere.c\t", len(want))
		if string(a.Overview) != overview || a.ID() != "<1@x>" || a.Size() != int64(len(want)) || len(a.Places()) != 2 || a.Places()[1] != places[1] {
			t.Errorf("got %q, want %q", a.Overview, overview)
		}
		if b, err := s.ByID(t.Context(), "<1@x>"); err != nil || b.Number != 0 || read(t, b) != want {
			t.Error(b, err)
		}
		if _, err := add(t, s, text("<1@x>", "local.a", "", "x\r\n"), newsgroup.Arrival{}); !errors.Is(err, newsgroup.ErrDuplicate) {
			t.Error(err)
		}
		if g, err := s.Group(t.Context(), "local.b"); err != nil || g.Low != 1 || g.High != 4 || g.Count != 4 || g.Description != "about local.b" {
			t.Error(g, err)
		}
	})
}

func TestChange(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{})
		create(t, s, "g", newsgroup.Open)
		if err := s.Change(t.Context(), "g", newsgroup.Moderated, "in two\nlines"); err != nil {
			t.Fatal(err)
		}
		if g, err := s.Group(t.Context(), "g"); err != nil || g.Status != newsgroup.Moderated || g.Description != "in two lines" {
			t.Errorf("%+v, %v", g, err)
		}
		if err := s.Change(t.Context(), "none", newsgroup.Open, ""); !errors.Is(err, newsgroup.ErrNoGroup) {
			t.Error(err)
		}
	})
}

func TestWhatGroupsTake(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{MaxArticle: 2000, Remember: 24 * 365 * 100 * time.Hour})
		create(t, s, "g.open", newsgroup.Open)
		create(t, s, "g.readonly", newsgroup.ReadOnly)
		create(t, s, "g.moderated", newsgroup.Moderated)
		create(t, s, "g.closed", newsgroup.Closed)
		create(t, s, "control.cancel", newsgroup.ReadOnly)
		local := newsgroup.Arrival{Local: true}
		for i, c := range []struct {
			groups, more, body string
			how                newsgroup.Arrival
			want               error
			places             int
		}{
			{"g.open", "", "", local, nil, 1},
			{"g.open,g.open", "", "", local, nil, 1},
			{"g.none", "", "", local, newsgroup.ErrNoGroup, 0},
			{"g.readonly", "", "", local, newsgroup.ErrReadOnly, 0},
			{"g.open,g.readonly", "", "", local, newsgroup.ErrReadOnly, 0},
			{"g.open,g.readonly", "", "", newsgroup.Arrival{}, nil, 2},
			{"g.open,g.closed", "", "", newsgroup.Arrival{}, nil, 1},
			{"g.closed", "", "", newsgroup.Arrival{}, newsgroup.ErrReadOnly, 0},
			{"g.open,g.moderated", "", "", newsgroup.Arrival{}, newsgroup.ErrModerated, 0},
			{"g.open,g.moderated", "Approved: bob@example.org\r\n", "", local, nil, 2},
			{"g.open", "", strings.Repeat("x", 3000) + "\r\n", local, newsgroup.ErrTooBig, 0},
			{"g.open", "", "no line end", local, newsgroup.ErrMalformed, 0},
			{"g.open", "Control: cancel <x@y>\r\n", "", newsgroup.Arrival{Local: true, Groups: []string{"control.cancel", "control"}}, nil, 1},
			{"g.open", "Control: checkgroups\r\n", "", newsgroup.Arrival{Groups: []string{"control.checkgroups"}}, nil, 1},
			{"", "", "", local, newsgroup.ErrMalformed, 0},
		} {
			places, err := add(t, s, text(fmt.Sprintf("<%d@x>", i), c.groups, c.more, c.body), c.how)
			if !errors.Is(err, c.want) || len(places) != c.places {
				t.Errorf("%d, %s: %v, %v", i, c.groups, places, err)
			}
		}
		if g, err := s.Group(t.Context(), "control.cancel"); err != nil || g.Count != 1 {
			t.Error(g, err)
		}
		old := strings.Replace(text("<old@x>", "g.open", "", ""), "2026", "1886", 1)
		if _, err := add(t, s, old, newsgroup.Arrival{}); !errors.Is(err, newsgroup.ErrTooOld) {
			t.Error(err)
		}
		for _, name := range []string{"", "a..b", "a b", "a\x00b", strings.Repeat("a", 500)} {
			if err := s.Create(t.Context(), newsgroup.NewGroup{Name: name}); !errors.Is(err, newsgroup.ErrName) {
				t.Errorf("%q: %v", name, err)
			}
			if _, err := s.Group(t.Context(), name); !errors.Is(err, newsgroup.ErrNoGroup) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

// TestSeveralAtOnce adds articles together: each stands for itself, and those
// before it are there.
func TestSeveralAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(storetest.Rerun(e), newsgroup.Options{})
		create(t, s, "g.a", 0)
		create(t, s, "g.b", 0)
		create(t, s, "g.m", newsgroup.Moderated)
		var all []newsgroup.Addition
		for _, text := range []string{
			text("<1@x>", "g.a", "", "x\r\n"), text("<1@x>", "g.b", "", "x\r\n"), "\r\n", text("<2@x>", "g.b,g.a", "", "x\r\n"),
			text("<3@x>", "g.m", "", ""), text("<4@x>", "g.none", "", ""), text("<3@x>", "g.a", "", "x\r\n"),
		} {
			d, err := s.NewDraft(t.Context(), int64(len(text)))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := io.WriteString(d, text); err != nil {
				t.Fatal(err)
			}
			all = append(all, newsgroup.Addition{Draft: d})
		}
		want := []struct {
			err    error
			places []newsgroup.Place
		}{
			{nil, []newsgroup.Place{{Group: "g.a", Number: 1}}}, {newsgroup.ErrDuplicate, nil}, {newsgroup.ErrMalformed, nil},
			{nil, []newsgroup.Place{{Group: "g.b", Number: 1}, {Group: "g.a", Number: 2}}}, {newsgroup.ErrModerated, nil}, {newsgroup.ErrNoGroup, nil},
			{nil, []newsgroup.Place{{Group: "g.a", Number: 3}}},
		}
		for i, done := range s.AddAll(t.Context(), all) {
			if !errors.Is(done.Err, want[i].err) || !slices.Equal(done.Places, want[i].places) {
				t.Errorf("%d: %v", i, done)
			}
		}
		if a, err := s.ByID(t.Context(), "<3@x>"); err != nil || !strings.HasSuffix(read(t, a), "\r\n\r\nx\r\n") {
			t.Error(a, err)
		}
		late, err := s.NewDraft(t.Context(), -1)
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		if _, err := io.WriteString(late, text("<5@x>", "g.a", "", "")); err != nil {
			t.Fatal(err)
		}
		over, stop := context.WithCancel(t.Context())
		stop()
		if done := s.AddAll(over, []newsgroup.Addition{{Draft: all[2].Draft}, {Draft: late}}); !errors.Is(done[0].Err, newsgroup.ErrMalformed) || !errors.Is(done[1].Err, context.Canceled) {
			t.Error(done)
		}
	})
}

func TestNumbersNeverGoBack(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{})
		create(t, s, "g.a", 0)
		create(t, s, "g.b", 0)
		for i := range 4 {
			if _, err := add(t, s, text(fmt.Sprintf("<%d@x>", i), "g.a,g.b", "", "x\r\n"), newsgroup.Arrival{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Cancel(t.Context(), "<0@x>"); err != nil {
			t.Fatal(err)
		}
		if g, err := s.Group(t.Context(), "g.a"); err != nil || g.Low != 2 || g.High != 4 || g.Count != 3 {
			t.Fatal(g, err)
		}
		if err := s.Remove(t.Context(), "g.a"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Article(t.Context(), "g.a", 2); !errors.Is(err, newsgroup.ErrNoGroup) {
			t.Error(err)
		}
		if a, err := s.ByID(t.Context(), "<1@x>"); err != nil || read(t, a) == "" {
			t.Error(err)
		}
		create(t, s, "g.a", 0)
		if places, err := add(t, s, text("<9@x>", "g.a", "", "x\r\n"), newsgroup.Arrival{}); err != nil || places[0].Number != 5 {
			t.Error(places, err)
		}
		if err := s.Cancel(t.Context(), "<soon@x>"); err != nil {
			t.Error(err)
		}
		for _, id := range []string{"<0@x>", "<soon@x>"} {
			if _, err := add(t, s, text(id, "g.a", "", "x\r\n"), newsgroup.Arrival{}); !errors.Is(err, newsgroup.ErrDuplicate) {
				t.Error(id, err)
			}
		}
	})
}

// TestVisibleInOrder has many post at once, while others read up to the high
// water mark again and again: nobody ever finds a number below a mark that he
// has seen.
func TestVisibleInOrder(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		s := newsgroup.New(e, newsgroup.Options{})
		create(t, s, "g.a", 0)
		create(t, s, "g.b", 0)
		const writers, each = 4, 15
		var posting, reading sync.WaitGroup
		done := make(chan struct{})
		for range 2 {
			reading.Go(func() {
				seen := int64(0)
				for over := false; !over; {
					select {
					case <-done:
						over = true
					default:
					}
					for a, err := range s.Articles(t.Context(), "g.a", seen+1, 1<<40) {
						if err != nil || a.Number != seen+1 {
							t.Errorf("after %d came %d, %v", seen, a.Number, err)
							return
						}
						seen++
					}
				}
				if seen != writers*each {
					t.Errorf("saw %d", seen)
				}
			})
		}
		for w := range writers {
			posting.Go(func() {
				for i := range each {
					groups := []string{"g.a", "g.a,g.b", "g.b,g.a"}[i%3]
					if _, err := add(t, s, text(fmt.Sprintf("<%d.%d@x>", w, i), groups, "", "x\r\n"), newsgroup.Arrival{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		posting.Wait()
		close(done)
		reading.Wait()
	})
}
