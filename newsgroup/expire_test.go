package newsgroup_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/store/memstore"
)

// TestExpire lets a month go by: articles leave each of their groups in its own
// time, the history outlives them, and then forgets.
func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		e := memstore.New(memstore.Options{})
		defer e.Close()
		s := newsgroup.New(e, newsgroup.Options{Remember: 20 * day})
		create(t, s, "g.short", 0)
		create(t, s, "g.long", 0)
		create(t, s, "g.ever", 0)
		for id, groups := range map[string]string{"<1@x>": "g.short,g.long", "<2@x>": "g.ever"} {
			if _, err := add(t, s, today(id, groups), newsgroup.Arrival{}); err != nil {
				t.Fatal(err)
			}
		}
		keep := func(group string) time.Duration {
			return map[string]time.Duration{"g.short": 5 * day, "g.long": 10 * day}[group]
		}
		after := func(d time.Duration, want newsgroup.Expired) {
			t.Helper()
			<-time.After(d)
			if got, err := s.Expire(t.Context(), keep); err != nil || got != want {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
		after(4*day, newsgroup.Expired{})
		after(2*day, newsgroup.Expired{Places: 1})
		if a, err := s.ByID(t.Context(), "<1@x>"); err != nil || read(t, a) == "" {
			t.Error(a, err)
		}
		if g, err := s.Group(t.Context(), "g.short"); err != nil || g.Low != 2 || g.High != 1 || g.Count != 0 {
			t.Errorf("%+v, %v", g, err)
		}
		after(5*day, newsgroup.Expired{Places: 1})
		if _, err := s.ByID(t.Context(), "<1@x>"); !errors.Is(err, newsgroup.ErrNoArticle) {
			t.Error(err)
		}
		if _, err := add(t, s, today("<1@x>", "g.long"), newsgroup.Arrival{}); !errors.Is(err, newsgroup.ErrDuplicate) {
			t.Error(err)
		}
		old := today("<3@x>", "g.ever")
		after(10*day, newsgroup.Expired{Forgotten: 1})
		if places, err := add(t, s, today("<1@x>", "g.short"), newsgroup.Arrival{}); err != nil || places[0].Number != 2 {
			t.Error(places, err)
		}
		if _, err := add(t, s, old, newsgroup.Arrival{}); err != nil {
			t.Error(err)
		}
		<-time.After(15 * day)
		if _, err := add(t, s, old, newsgroup.Arrival{}); !errors.Is(err, newsgroup.ErrTooOld) {
			t.Error(err)
		}
		if known, err := s.Known(t.Context(), "<2@x>"); err != nil || !known {
			t.Error(known, err)
		}
	})
}

// today is an article with the date of now.
func today(id, groups string) string {
	return "Path: x!y\r\nFrom: ann@example.org\r\nNewsgroups: " + groups + "\r\nSubject: s\r\nDate: " + time.Now().UTC().Format(time.RFC1123Z) + "\r\nMessage-ID: " + id + "\r\n\r\nx\r\n"
}
