package news_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
)

// desk is a Backend with groups, and one of control messages.
func desk(t *testing.T) *news.Backend {
	t.Helper()
	e := memstore.New(memstore.Options{})
	t.Cleanup(func() { e.Close() })
	return deskOn(t, e)
}

func deskOn(t *testing.T, e store.Engine) *news.Backend {
	t.Helper()
	b := &news.Backend{Store: newsgroup.New(e, newsgroup.Options{Host: "news.example"})}
	for _, name := range []string{"local.test", "control.cancel", "control"} {
		if err := b.Store.Create(t.Context(), newsgroup.NewGroup{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// take has the Backend take an article, whose header has more lines.
func take(t *testing.T, b *news.Backend, id, more string) error {
	t.Helper()
	text := "Path: x!y\r\nFrom: ann@x.example\r\nNewsgroups: local.test\r\nSubject: s\r\nDate: 6 Oct 1998 04:38:40 -0500\r\nMessage-ID: " + id + "\r\n" + more + "\r\n"
	h, _ := message.ParseHeader([]byte(text), message.Limits{})
	d, err := b.Draft(t.Context(), nntp.Incoming{ID: id, Header: h, Body: strings.NewReader("x\r\n"), Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return b.Take(t.Context(), d)[0]
}

// there tells whether an article can be read.
func there(t *testing.T, b *news.Backend, id string) bool {
	t.Helper()
	_, err := b.ByID(t.Context(), id)
	if err != nil && !errors.Is(err, nntp.ErrNoArticle) {
		t.Fatal(err)
	}
	return err == nil
}

// TestControlIsKept has control messages put where their readers look for them,
// and nothing done about them.
func TestControlIsKept(t *testing.T) {
	b := desk(t)
	for _, c := range []struct{ id, more string }{
		{"<1@x>", ""}, {"<2@x>", "Control: cancel <1@x>\r\n"}, {"<3@x>", "Control: newgroup local.new\r\n"}, {"<4@x>", "Supersedes: <1@x>\r\n"},
	} {
		if err := take(t, b, c.id, c.more); err != nil {
			t.Errorf("%s: %v", c.id, err)
		}
	}
	if !there(t, b, "<1@x>") {
		t.Error("a cancel was obeyed")
	}
	for name, want := range map[string]int64{"local.test": 2, "control.cancel": 1, "control": 1} {
		if g, err := b.Group(t.Context(), name); err != nil || g.Count != want {
			t.Errorf("%+v, %v, want %d", g, err, want)
		}
	}
	if _, err := b.Group(t.Context(), "local.new"); !errors.Is(err, nntp.ErrNoGroup) {
		t.Error(err)
	}
}

// TestObey cancels, where that is asked for and allowed: also what has not come.
func TestObey(t *testing.T) {
	b := desk(t)
	var targets []string
	b.Obey = func(_ context.Context, cancel nntp.Incoming, target message.Header) bool {
		targets = append(targets, target.Get("Message-ID"))
		return cancel.Header.Get("Approved") != ""
	}
	for _, c := range []struct {
		id, more string
		want     error
		gone     string
		target   string
	}{
		{"<1@x>", "", nil, "", ""},
		{"<c1@x>", "Control: cancel <1@x>\r\n", nil, "", "<1@x>"},
		{"<c2@x>", "Control: cancel <1@x>\r\nApproved: ann@x.example\r\n", nil, "<1@x>", "<1@x>"},
		{"<1@x>", "", nntp.ErrNotWanted, "<1@x>", ""},
		{"<c3@x>", "Control: cancel <soon@x>\r\nApproved: ann@x.example\r\n", nil, "<soon@x>", ""},
		{"<soon@x>", "", nntp.ErrNotWanted, "<soon@x>", ""},
		{"<2@x>", "", nil, "", ""},
		{"<3@x>", "Supersedes: <2@x>\r\nApproved: ann@x.example\r\n", nil, "<2@x>", "<2@x>"},
		{"<c4@x>", "Control: cancel nonsense\r\nApproved: ann@x.example\r\n", nil, "", ""},
	} {
		asked := len(targets)
		if err := take(t, b, c.id, c.more); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.id, err, c.want)
		}
		if c.gone != "" && there(t, b, c.gone) {
			t.Errorf("%s: %s is still there", c.id, c.gone)
		}
		if c.target != "" && (len(targets) != asked+1 || targets[asked] != c.target) {
			t.Errorf("%s: asked about %q", c.id, targets[asked:])
		}
	}
	if !there(t, b, "<3@x>") || !there(t, b, "<c1@x>") || len(targets) != 4 {
		t.Errorf("asked about %q", targets)
	}
}

// ill is an engine that fails to write while it is ill.
type ill struct {
	store.Engine
	err error
}

func (i *ill) Update(ctx context.Context, f func(store.Writer) error) error {
	if i.err != nil {
		return i.err
	}
	return i.Engine.Update(ctx, f)
}

// TestObeyFails has an article kept whose cancel cannot be carried out: its
// sender hears that it was taken, and the log what went wrong.
func TestObeyFails(t *testing.T) {
	e := &ill{Engine: memstore.New(memstore.Options{})}
	t.Cleanup(func() { e.Close() })
	b := deskOn(t, e)
	b.Obey = func(context.Context, nntp.Incoming, message.Header) bool {
		e.err = store.ErrFull
		return true
	}
	var log strings.Builder
	b.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := errors.Join(take(t, b, "<1@x>", ""), take(t, b, "<c@x>", "Control: cancel <1@x>\r\n")); err != nil {
		t.Error(err)
	}
	e.err = nil
	if !there(t, b, "<1@x>") || !there(t, b, "<c@x>") {
		t.Error("an article is gone")
	}
	if err := take(t, b, "<c@x>", "Control: cancel <1@x>\r\n"); !errors.Is(err, nntp.ErrNotWanted) {
		t.Errorf("sent once more: %v", err)
	}
	if got := log.String(); !strings.Contains(got, store.ErrFull.Error()) || !strings.Contains(got, "<c@x>") {
		t.Errorf("logged: %q", got)
	}
}
