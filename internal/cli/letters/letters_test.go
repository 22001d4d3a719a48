package letters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/cli/letters"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
)

func Example() {
	const text = "From ann@a.test Mon Nov  2 10:00:00 2026\nStatus: RO\nX-Status: F\nSubject: hi\n\n>From me\n\n"
	for l, err := range letters.Mbox(strings.NewReader(text)).All() {
		fmt.Printf("%v %v %q %v\n", l.Date.Format(time.DateTime), l.Flags, l.Text, err)
	}
	// Output: 2026-11-02 10:00:00 [\Seen \Flagged] "Subject: hi\r\n\r\nFrom me\r\n" <nil>
}

// many is an mbox of messages with all flags, dates, and bodies that a mailbox
// in one file finds hard.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		date := time.Date(2026, 11, 2, 10, i/60, i%60, 0, time.UTC)
		fmt.Fprintf(&b, "From ann@a.test %s\n%sFrom: ann@a.test\nSubject: number %d\n", date.Format(time.ANSIC), status(i), i)
		if i%3 > 0 {
			fmt.Fprintf(&b, "Message-ID: <%d@a.test>\n", i)
		}
		b.WriteString("\nhello\n>From here\n>>From there\n.\n\n\n") // the last one stands between messages
	}
	return b.String()
}

func status(i int) string {
	return []string{
		"", "Status: O\n", "Status: RO\n", "Status: RO\nX-Status: AF\n", "Status: O\nX-Status: TD\n",
		"Status: RO\nX-Keywords: $Forwarded\n  work\n",
	}[i%6]
}

func dial(t *testing.T, s *imaptest.Server) *imap.Client {
	t.Helper()
	c, err := imap.Dial(t.Context(), "tcp:"+s.Addr, imap.Options{})
	if err == nil {
		t.Cleanup(func() { c.Close() })
		err = c.Login(t.Context(), auth.Credentials{User: imaptest.User, Password: imaptest.Password})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// load imports a path until that has gone well.
func load(t *testing.T, s *imaptest.Server, path, mailbox string, tries int) letters.Tally {
	t.Helper()
	var all letters.Tally
	for range tries {
		src, err := letters.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		im := letters.Import{Client: dial(t, s), Mailbox: mailbox, Create: true}
		got, err := im.Run(t.Context(), src)
		all.Moved, all.There = all.Moved+got.Moved, got.There
		if cerr := src.Close(); cerr != nil {
			t.Error(cerr)
		}
		if err == nil {
			return all
		}
		t.Log(err)
	}
	t.Fatal("it never ends well")
	return all
}

type form func(path, from string, uidValidity uint32) (letters.Target, error)

// save exports a mailbox until that has gone well.
func save(t *testing.T, s *imaptest.Server, mailbox, path string, to form, tries int) letters.Tally {
	t.Helper()
	var all letters.Tally
	for range tries {
		ex := letters.Export{Client: dial(t, s), Mailbox: mailbox}
		got, err := ex.Run(t.Context(), func(validity uint32) (letters.Target, error) { return to(path, mailbox, validity) })
		all.Moved, all.There = all.Moved+got.Moved, got.There
		if err == nil {
			return all
		}
		t.Log(err)
	}
	t.Fatal("it never ends well")
	return all
}

// content is what a source has, sorted.
func content(t *testing.T, path string, flags bool) []string {
	t.Helper()
	src, err := letters.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var all []string
	for l, err := range src.All() {
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(l.Flags)
		line := fmt.Sprintf("%s %q", l.Date.UTC().Format(time.DateTime), l.Text)
		if flags {
			line += fmt.Sprint(l.Flags)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: %d messages, want %d", what, len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s\nwant %s", got[i], want[i])
			return
		}
	}
}

// TestRound brings an mbox to a server and back in every form, twice.
func TestRound(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{})
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mbox")
	if err := os.WriteFile(in, []byte(many(70)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := load(t, s, in, "A", 1); got != (letters.Tally{Moved: 70}) {
		t.Errorf("%+v", got)
	}
	if got := load(t, s, in, "A", 1); got != (letters.Tally{There: 70}) {
		t.Errorf("again: %+v", got)
	}
	want := content(t, in, true)
	for name, to := range map[string]form{"out.mbox": letters.ToMbox, "maildir": letters.ToMaildir, "eml": letters.ToFolder} {
		path := filepath.Join(dir, name)
		first, again := save(t, s, "A", path, to, 1), save(t, s, "A", path, to, 1)
		if first != (letters.Tally{Moved: 70}) || again != (letters.Tally{There: 70}) {
			t.Errorf("%s: %+v, %+v", name, first, again)
		}
		if name == "eml" { // it has no flags
			same(t, name, content(t, path, false), content(t, in, false))
			continue
		}
		same(t, name, content(t, path, true), want)
		load(t, s, path, "from "+name, 1)
		back := filepath.Join(dir, "back of "+name+".mbox")
		save(t, s, "from "+name, back, letters.ToMbox, 1)
		same(t, "back of "+name, content(t, back, true), want)
	}
	s.Put("A", "Subject: new\n\nx\n")
	if got := save(t, s, "A", filepath.Join(dir, "out.mbox"), letters.ToMbox, 1); got != (letters.Tally{Moved: 1, There: 70}) {
		t.Errorf("%+v", got)
	}
	if n := len(content(t, filepath.Join(dir, "out.mbox"), true)); n != 71 {
		t.Errorf("%d messages", n)
	}
}

// TestCutOff has connections die; whatever came of it is not done again, and
// nothing is missing.
func TestCutOff(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mbox")
	if err := os.WriteFile(in, []byte(many(70)), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := []faults.Rule{{Dir: faults.Out, After: 3_000, Do: faults.Reset, Times: 5}, {Dir: faults.In, After: 5_000, Do: faults.Reset, Times: 5}}
	s := imaptest.New(t, imaptest.Options{Faults: rules})
	load(t, s, in, "INBOX", 20)
	for name, to := range map[string]form{"out.mbox": letters.ToMbox, "maildir": letters.ToMaildir, "eml": letters.ToFolder} {
		path := filepath.Join(dir, name)
		save(t, s, "INBOX", path, to, 20)
		same(t, name, content(t, path, false), content(t, in, false))
	}
}

// kill leaves an mbox of one message and another as whoever was killed in the
// second does: of its text so many bytes are missing, and the note has the first.
func kill(t *testing.T, path string, missing int) (text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	note, err := os.ReadFile(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	half := strings.Index(string(b), "\n\nFrom ") + 2
	cut := strings.NewReplacer(`"1:2"`, `"1"`, fmt.Sprintf(`"size":%d`, len(b)), fmt.Sprintf(`"size":%d`, half), "false", "true").Replace(string(note))
	err = errors.Join(os.WriteFile(path, b[:len(b)-missing], 0o600), os.WriteFile(path+".json", []byte(cut), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestKilled finds an mbox as whoever was killed has left it; a flag has changed
// since in one of them.
func TestKilled(t *testing.T) {
	for _, flag := range []bool{false, true} {
		s := imaptest.New(t, imaptest.Options{Messages: []string{"Subject: 1\n\nx\n", "Subject: 2\n\nx\n"}})
		path := filepath.Join(t.TempDir(), "out.mbox")
		save(t, s, "INBOX", path, letters.ToMbox, 1)
		text := kill(t, path, 3)
		if c := dial(t, s); flag {
			if _, err := c.Select(imap.Select{Name: "INBOX"}).Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			change := imap.Store{Where: imap.Where{Set: imap.Set{{First: 2}}}, Op: imap.Add, Flags: []imap.Flag{imap.Flagged}}
			if _, err := c.Store(change).Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := save(t, s, "INBOX", path, letters.ToMbox, 1); got != (letters.Tally{Moved: 1, There: 1}) {
			t.Errorf("%+v", got)
		}
		if again, err := os.ReadFile(path); err != nil || string(again) != text {
			t.Errorf("%q, %v, want %q", again, err, text)
		}
		if got := save(t, s, "INBOX", path, letters.ToMbox, 1); got != (letters.Tally{There: 2}) {
			t.Errorf("again: %+v", got)
		}
	}
}

// appendTo writes behind what a file has, as another program does.
func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

const theirMail = "From joe Mon Nov  2 10:00:00 2026\nSubject: theirs\n\ny\n\n"

// TestKilledAndAppendedTo: what another program wrote behind the message that was
// being written is neither cut off nor written over, and nothing is put behind it.
func TestKilledAndAppendedTo(t *testing.T) {
	for _, missing := range []int{0, 1, 3, 20} {
		s := imaptest.New(t, imaptest.Options{Messages: []string{"Subject: 1\n\nx\n", "Subject: 2\n\nx\n"}})
		path := filepath.Join(t.TempDir(), "out.mbox")
		save(t, s, "INBOX", path, letters.ToMbox, 1)
		text := kill(t, path, missing)
		text = text[:len(text)-missing] + theirMail
		appendTo(t, path, theirMail)
		for range 2 {
			ex := letters.Export{Client: dial(t, s), Mailbox: "INBOX"}
			got, err := ex.Run(t.Context(), func(validity uint32) (letters.Target, error) { return letters.ToMbox(path, "INBOX", validity) })
			if whole := missing == 0; errors.Is(err, letters.ErrForeign) == whole || whole && err != nil || !whole && got.Moved > 0 {
				t.Errorf("without %d bytes: %+v, %v", missing, got, err)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != text {
				t.Errorf("without %d bytes: %q, %v, want %q", missing, now, err, text)
			}
		}
	}
}

// TestAppendedToMeanwhile has another program write to an mbox while a message
// comes, and while none does.
func TestAppendedToMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.mbox")
	open := func() letters.Target {
		to, err := letters.ToMbox(path, "INBOX", 1)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	const mine = "A: b\r\n\r\nx\r\n"
	to := open()
	if err := to.Add(letters.Mail{UID: 1}, strings.NewReader(mine)); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, theirMail)
	if err := errors.Join(to.Add(letters.Mail{UID: 2}, strings.NewReader(mine)), to.Close()); !errors.Is(err, letters.ErrForeign) {
		t.Error(err)
	}
	to = open() // behind a whole message there is room
	if err := to.Add(letters.Mail{UID: 2}, strings.NewReader(mine)); err != nil || !to.Has().Contains(1) {
		t.Error(to.Has(), err)
	}
	long := io.MultiReader(strings.NewReader(mine+strings.Repeat("x\r\n", 100_000)), readerFunc(func([]byte) (int, error) {
		appendTo(t, path, theirMail)
		return 0, io.ErrUnexpectedEOF
	}))
	if err := to.Add(letters.Mail{UID: 3}, long); err == nil {
		t.Error("half a message is one")
	}
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), theirMail) != 2 || strings.Count(string(text), "A: b\n") != 3 {
		t.Errorf("%d times theirs, %d times ours, %v", strings.Count(string(text), theirMail), strings.Count(string(text), "A: b\n"), err)
	}
	to = open()
	if err := errors.Join(to.Add(letters.Mail{UID: 3}, strings.NewReader(mine)), to.Close()); !errors.Is(err, letters.ErrForeign) || to.Has().Contains(3) {
		t.Error(to.Has(), err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestNotOurs leaves alone what others wrote, and what is another mailbox's.
func TestNotOurs(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "theirs.mbox")
	if err := os.WriteFile(theirs, []byte(many(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := letters.ToMbox(theirs, "INBOX", 1); err == nil {
		t.Error("an mbox of somebody's is written to")
	}
	if _, err := letters.ToMaildir(dir, "INBOX", 1); err == nil {
		t.Error("a directory with files becomes a Maildir")
	}
	ours := filepath.Join(dir, "ours.mbox")
	to, err := letters.ToMbox(ours, "INBOX", 1)
	if err == nil {
		err = errors.Join(to.Add(letters.Mail{UID: 1}, strings.NewReader("A: b\r\n\r\n")), to.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct {
		from     string
		validity uint32
	}{{"INBOX", 2}, {"Sent", 1}} {
		if _, err := letters.ToMbox(ours, other.from, other.validity); err == nil {
			t.Errorf("%+v goes into the same mbox", other)
		}
	}
	if src, err := letters.Open(filepath.Join(dir, "ours.mbox.json")); src != nil || err != nil {
		t.Errorf("no mbox: %v, %v", src, err)
	}
	if _, err := letters.Open(dir); !errors.Is(err, letters.ErrNone) {
		t.Error(err)
	}
	if _, err := letters.Open(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestStopped ends with its context, and leaves whole messages.
func TestStopped(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Messages: []string{"Subject: 1\n\nx\n", "Subject: 2\n\n" + strings.Repeat("x\n", 100_000)}})
	path := filepath.Join(t.TempDir(), "out.mbox")
	ctx, cancel := context.WithCancel(t.Context())
	ex := letters.Export{Client: dial(t, s), Mailbox: "INBOX"}
	ex.Moved = func(n int64) {
		if n > 1000 {
			cancel()
		}
	}
	_, err := ex.Run(ctx, func(validity uint32) (letters.Target, error) { return letters.ToMbox(path, "INBOX", validity) })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if all := content(t, path, true); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
	if got := save(t, s, "INBOX", path, letters.ToMbox, 1); got != (letters.Tally{Moved: 1, There: 1}) {
		t.Errorf("%+v", got)
	}
}

// TestRefused goes on behind a letter that the server does not take.
func TestRefused(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Handler: func(h *imap.Handler) { h.Limits.Message = 1000 }})
	text := many(3) + "From x Mon Nov  2 10:00:00 2026\nSubject: long\n\n" + strings.Repeat("x\n", 1000) + "\n" + strings.ReplaceAll(many(3), "number", "another")
	var refused []string
	im := letters.Import{Client: dial(t, s), Mailbox: "INBOX", Failed: func(l letters.Letter, err error) {
		refused = append(refused, fmt.Sprint(l.Name, " ", errors.Is(err, imap.ErrTooBig)))
	}}
	got, err := im.Run(t.Context(), letters.Mbox(io.Reader(strings.NewReader(strings.ReplaceAll(text, "Message-ID", "X-ID")))))
	if err != nil || got != (letters.Tally{Moved: 6, Failed: 1}) || !slices.Equal(refused, []string{"message 4 true"}) {
		t.Errorf("%+v, %v, %q", got, err, refused)
	}
}
