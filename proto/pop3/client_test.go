package pop3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
)

func text(ctx context.Context, c *pop3.Client, number int) (string, error) {
	b, err := c.Retrieve(ctx, number)
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(b)
	return string(all), errors.Join(err, b.Close())
}

func TestClient(t *testing.T) {
	messages := []string{"Subject: a\n\none\n.two\n", "Subject: b\r\n\r\n..\r\n.\r\nend", strings.Repeat(".0123456789abcdef\n", 50_000), "\n"}
	both(t, pop3test.Options{Messages: messages}, func(t *testing.T, s *pop3test.Server) {
		for _, scheme := range []string{"tcp", "starttls"} {
			testClient(t, s, s.Client(t.Context(), scheme))
		}
	})
}

func testClient(t *testing.T, s *pop3test.Server, c *pop3.Client) {
	t.Helper()
	ctx := t.Context()
	want, uids := s.Messages(pop3test.User), s.UIDs(pop3test.User)
	total := int64(0)
	all, err := c.Messages(ctx)
	if err != nil || len(all) != len(want) {
		t.Fatalf("%v, %v", all, err)
	}
	for i, e := range all {
		if e != (pop3.Entry{Number: i + 1, Size: int64(len(want[i])), UID: uids[i]}) {
			t.Errorf("message %d: %+v", i+1, e)
		}
		total += e.Size
		if size, err := c.Size(ctx, e.Number); err != nil || size != e.Size {
			t.Errorf("LIST %d: %d, %v", e.Number, size, err)
		}
		if uid, err := c.UID(ctx, e.Number); err != nil || uid != e.UID {
			t.Errorf("UIDL %d: %q, %v", e.Number, uid, err)
		}
		if got, err := text(ctx, c, e.Number); err != nil || got != want[i] {
			t.Errorf("RETR %d: %d bytes, %v", e.Number, len(got), err)
		}
	}
	if stamp := c.Timestamp(); stamp == "" || !strings.HasSuffix(c.Welcome().Text, stamp) {
		t.Errorf("greeting: %+v, its time stamp: %q", c.Welcome(), stamp)
	}
	if list, err := c.UIDs(ctx); err != nil || len(list) != len(want) || list[1] != (pop3.Entry{Number: 2, Size: -1, UID: uids[1]}) {
		t.Errorf("UIDL: %+v, %v", list, err)
	}
	if n, size, err := c.Stat(ctx); err != nil || n != len(want) || size != total {
		t.Errorf("STAT: %d, %d, %v", n, size, err)
	}
	b, err := c.Top(ctx, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Noop(ctx); !errors.Is(err, pop3.ErrBusy) {
		t.Errorf("NOOP while a message is open: %v", err)
	}
	if got, err := io.ReadAll(b); err != nil || string(got) != "Subject: a\r\n\r\none\r\n" {
		t.Errorf("TOP: %q, %v", got, err)
	}
	if err := c.Delete(ctx, 1, 99, 2); err == nil || c.Broken() {
		t.Errorf("DELE 99: %v", err)
	}
	if n, _, err := c.Stat(ctx); err != nil || n != len(want)-2 {
		t.Errorf("after DELE: %d, %v", n, err)
	}
	if err := errors.Join(c.Reset(ctx), c.Noop(ctx)); err != nil {
		t.Error(err)
	}
	if b, err = c.Retrieve(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil { // the rest is dropped
		t.Error(err)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
	s.Wait(ctx, pop3test.User)
	if !slices.Equal(s.Messages(pop3test.User), want) {
		t.Error("something was deleted")
	}
}

func TestEveryLogin(t *testing.T) {
	mechanisms := []string{
		"", pop3.MechanismUSER, pop3.MechanismAPOP, auth.PLAIN, auth.LOGIN, auth.CRAMMD5,
		auth.SCRAMSHA1, auth.SCRAMSHA256, auth.SCRAMSHA1PLUS, auth.SCRAMSHA256PLUS,
	}
	for _, implicit := range []bool{false, true} {
		both(t, pop3test.Options{Messages: []string{"x"}, Implicit: implicit}, func(t *testing.T, s *pop3test.Server) {
			for _, mechanism := range mechanisms {
				for _, user := range []string{pop3test.User, "nobody"} {
					testLogin(t, s, map[bool]string{false: "starttls", true: "tls"}[implicit], mechanism, user)
				}
			}
		})
	}
}

func testLogin(t *testing.T, s *pop3test.Server, scheme, mechanism, user string) {
	t.Helper()
	ctx := t.Context()
	c, err := pop3.Dial(ctx, s.Endpoint(scheme), s.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Login(ctx, auth.Credentials{User: user, Password: pop3test.Password, Mechanism: mechanism})
	if r, ok := errors.AsType[pop3.Reply](err); user == "nobody" && (!ok || r.Code != pop3.CodeAuth || !errors.Is(err, auth.ErrRefused)) {
		t.Errorf("%s as nobody: %v", mechanism, err)
	}
	if user == "nobody" {
		return
	}
	if err != nil {
		t.Errorf("%s: %v", mechanism, err)
		return
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
	s.Wait(ctx, user)
}

// tokens are accounts that know one token, which is too long for a command of
// 255 octets.
type tokens struct{ *auth.Users }

func (tokens) Token(_ context.Context, name, token string) (auth.Account, error) {
	if token != strings.Repeat("t", 6000) {
		return auth.Account{}, auth.ErrRefused
	}
	return auth.Account{Name: name}, nil
}

func TestALongToken(t *testing.T) {
	users := tokens{&auth.Users{}}
	both(t, pop3test.Options{Handler: func(h *pop3.Handler) { h.Auth.Accounts = users }}, func(t *testing.T, s *pop3test.Server) {
		for _, mechanism := range []string{auth.OAUTHBEARER, auth.XOAUTH2} {
			fresh := 0
			cred := auth.Credentials{User: "ann", Mechanism: mechanism, Token: func(_ context.Context, again bool) (string, error) {
				if !again {
					return "stale", nil
				}
				fresh++
				return strings.Repeat("t", 6000), nil
			}}
			c, err := pop3.Dial(t.Context(), s.Endpoint("starttls"), s.Options())
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.Login(t.Context(), cred), c.Quit(t.Context())); err != nil || fresh != 1 {
				t.Errorf("%s: %v, asked %d times for a fresh token", mechanism, err, fresh)
			}
			s.Wait(t.Context(), "ann")
		}
	})
}

// many is so many messages, of different lengths.
func many(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("Subject: %d\n\n%s\n", i, strings.Repeat("x\n", i%50)))
	}
	return all
}

func TestFetch(t *testing.T) {
	both(t, pop3test.Options{Messages: many(100)}, func(t *testing.T, s *pop3test.Server) {
		ctx, want := t.Context(), s.Messages(pop3test.User)
		for _, window := range []int{0, 1, 3} {
			o := s.Options()
			o.Window = window
			c, err := pop3.Dial(ctx, s.Endpoint("tcp"), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(ctx, right()); err != nil {
				t.Fatal(err)
			}
			var numbers, refused []int
			for n := range 101 {
				numbers = append(numbers, n+1)
			}
			for m, err := range c.Fetch(ctx, numbers...) {
				if err != nil {
					refused = append(refused, m.Number)
					continue
				}
				if err := c.Noop(ctx); !errors.Is(err, pop3.ErrBusy) {
					t.Errorf("NOOP within the loop: %v", err)
				}
				if m.Number%3 == 0 { // is not read
					continue
				}
				if got, err := io.ReadAll(m.Body); err != nil || string(got) != want[m.Number-1] {
					t.Errorf("message %d: %q, %v", m.Number, got, err)
				}
				if m.Number%10 == 0 {
					m.Delete()
				}
			}
			if !slices.Equal(refused, []int{101}) {
				t.Errorf("refused: %v", refused)
			}
			if n, _, err := c.Stat(ctx); err != nil || n != 93 { // 30, 60 and 90 were not read, but deleted is not asked of them
				t.Errorf("%d messages are left, %v", n, err)
			}
			if err := c.Reset(ctx); err != nil {
				t.Error(err)
			}
			for range c.Fetch(ctx, numbers...) {
				break
			}
			if err := c.Quit(ctx); err != nil {
				t.Errorf("after a loop that was left: %v", err)
			}
			s.Wait(ctx, pop3test.User)
		}
	})
}

func TestOnlyWhatIsNew(t *testing.T) {
	ctx := t.Context()
	s := pop3test.New(t, pop3test.Options{Messages: many(5)})
	path := filepath.Join(t.TempDir(), "seen")
	fetch := func(stop int, remove bool) (got []int) {
		j, err := pop3.OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		c := s.Client(ctx, "tcp")
		for m, err := range c.New(ctx, j) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Number == stop {
				break
			}
			if _, err := io.Copy(io.Discard, m.Body); err != nil {
				t.Fatal(err)
			}
			if got = append(got, m.Number); remove {
				m.Delete()
			}
		}
		if err := c.Quit(ctx); err != nil {
			t.Fatal(err)
		}
		s.Wait(ctx, pop3test.User)
		return got
	}
	if got := fetch(3, false); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("first: %v", got)
	}
	s.Put(pop3test.User, "new")
	if got := fetch(0, false); !slices.Equal(got, []int{3, 4, 5, 6}) {
		t.Errorf("then: %v", got)
	}
	if got := fetch(0, false); got != nil {
		t.Errorf("again: %v", got)
	}
	s.Put(pop3test.User, "newer")
	if got := fetch(0, true); !slices.Equal(got, []int{7}) {
		t.Errorf("at last: %v", got)
	}
	if n := len(s.Messages(pop3test.User)); n != 6 {
		t.Errorf("%d messages are left", n)
	}
	if got := fetch(0, false); got != nil {
		t.Errorf("after the deletion: %v", got)
	}
	text, err := os.ReadFile(path)
	if lines := strings.Fields(string(text)); err != nil || !sameSet(lines, s.UIDs(pop3test.User)) {
		t.Errorf("the journal has %q, the server %q: %v", lines, s.UIDs(pop3test.User), err)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestJournal(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "seen")
	if err := os.WriteFile(path, []byte("a\r\nb\nhal"), 0o600); err != nil { // written elsewhere, and cut short
		t.Fatal(err)
	}
	j, err := pop3.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	has := func(j pop3.Journal, uid string) bool {
		t.Helper()
		seen, err := j.Seen(ctx, uid)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	if !has(j, "a") || !has(j, "b") || has(j, "hal") {
		t.Error("read otherwise than written")
	}
	if err := j.Add(ctx, "a\nb"); err == nil {
		t.Error("a line break in a unique id")
	}
	for _, j := range []pop3.Journal{j, &pop3.MemoryJournal{}} {
		if err := errors.Join(j.Add(ctx, "c"), j.Add(ctx, "c"), j.Add(ctx, "d"), j.Keep(ctx, []string{"c", "e", "b"}), j.Add(ctx, "f")); err != nil {
			t.Fatal(err)
		}
		if !has(j, "c") || !has(j, "f") || has(j, "d") || has(j, "e") || has(j, "a") {
			t.Error("kept otherwise than asked for")
		}
	}
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(ctx, "g"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	again, err := pop3.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !has(again, "b") || !has(again, "c") || !has(again, "f") || has(again, "d") {
		t.Error("it has not lasted")
	}
}

// TestCancel: a call that was cut short leaves nothing but Close.
func TestCancel(t *testing.T) {
	s := pop3test.New(t, pop3test.Options{Messages: []string{strings.Repeat("x\n", 100_000)}})
	c := s.Client(t.Context(), "tcp")
	ctx, cancel := context.WithCancel(t.Context())
	b, err := c.Retrieve(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(b); !errors.Is(err, context.Canceled) {
		t.Errorf("reading on: %v", err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, conv.ErrBroken) || !c.Broken() {
		t.Errorf("a command after it: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	s.Wait(t.Context(), pop3test.User)
}
