package app_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/nntp"
)

// newsreader dials a news service, and logs in where a user is given.
func newsreader(t *testing.T, r app.Ready, service, scheme, user string) *nntp.Client {
	t.Helper()
	c, err := nntp.Dial(t.Context(), endpointOf(t, r, service, scheme), nntp.Options{Dialer: dial.Dialer{TLS: trust(t, r)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if user == "" {
		return c
	}
	if err := c.Login(t.Context(), auth.Credentials{User: user, Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	return c
}

func article(groups string) *strings.Reader {
	return strings.NewReader("From: ann@example.test\nNewsgroups: " + groups + "\nSubject: hello\n\nHello.\n")
}

// What is posted by one way is read by the others, on both engines, without a
// login where there are no users.
func TestNewsIsPostedAndRead(t *testing.T) {
	for _, engine := range bothEngines {
		r := run(t, app.Config{Engine: engine, Listen: at(t, "nntp=:0", "nntps=:0")})
		for _, way := range []struct{ service, scheme string }{{"nntp", "tcp"}, {"nntp", "starttls"}, {"nntps", "tls"}} {
			c := newsreader(t, r, way.service, way.scheme, "")
			if _, err := c.Post(t.Context(), article("local.test")); err != nil {
				t.Errorf("%v: %v", way, err)
			}
		}
		g, err := newsreader(t, r, "nntp", "tcp", "anybody").Group(t.Context(), "local.test")
		if err != nil || g.Count != 3 {
			t.Error(g, err)
		}
	}
}

// With users only they post; groups and articles of --data stay.
func TestNewsOfUsers(t *testing.T) {
	cfg := app.Config{Users: map[string]string{"ann": "secret"}, Data: filepath.Join(t.TempDir(), "kept"), Groups: []string{"local.a", "local.b"}}
	cfg.Listen = at(t, "nntp=:0", "smtp=:0")
	t.Run("first", func(t *testing.T) {
		r := run(t, cfg)
		if _, err := newsreader(t, r, "nntp", "tcp", "").Post(t.Context(), article("local.a")); !errors.Is(err, nntp.ErrNotAllowed) {
			t.Error(err)
		}
		if _, err := newsreader(t, r, "nntp", "tcp", "ann").Post(t.Context(), article("local.a,local.b")); err != nil {
			t.Error(err)
		}
	})
	cfg.Groups = []string{"local.c"}
	r := run(t, cfg) // the data is there again
	c := newsreader(t, r, "nntp", "tcp", "")
	got := ""
	for g, err := range c.ListCounts(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got += g.Name + " "
		if want := map[bool]int64{true: 0, false: 1}[g.Name == "local.c"]; g.Count != want {
			t.Errorf("%+v", g)
		}
	}
	if got != "local.a local.b local.c " {
		t.Error(got)
	}
}

func TestNewsThatCannotBeMeant(t *testing.T) {
	for _, cfg := range []app.Config{
		{Listen: at(t, "nntp=:0"), Groups: []string{"no group"}},
		{Listen: at(t, "nntp=0.0.0.0:0")},
		{Listen: at(t, "nntp=:0"), Faults: []string{"nntp NONSENSE do=close"}},
	} {
		a, err := app.Listen(context.Background(), cfg)
		if _, ok := errors.AsType[*app.ConfigError](err); !ok {
			t.Errorf("%v: %v", cfg, err)
		}
		if err == nil {
			a.Close()
		}
	}
}

// Rules know the verbs, and their replies.
func TestNewsMisbehaves(t *testing.T) {
	r := run(t, app.Config{Listen: at(t, "nntp=:0"), Faults: []string{`nntp GROUP reply="403 not today" times=1`, "nntp DATE do=close"}})
	c := newsreader(t, r, "nntp", "tcp", "")
	if _, err := c.Group(t.Context(), "local.test"); !errors.Is(err, nntp.ErrLater) {
		t.Error(err)
	}
	if _, err := c.Group(t.Context(), "local.test"); err != nil {
		t.Error(err)
	}
	if now, err := c.Date(t.Context()); err == nil {
		t.Error(now)
	}
	only := run(t, app.Config{Listen: at(t, "nntp=:0"), Faults: []string{`nntp GROUP reply="403 not today"`}})
	if _, err := newsreader(t, only, "nntp", "tcp", "").Group(t.Context(), "local.test"); !errors.Is(err, nntp.ErrLater) {
		t.Error("a rule with a reply and no other:", err)
	}
}
