package gopher_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/gopher"
)

// over is a client whose one connection is nc.
func over(nc net.Conn) *gopher.Client {
	return &gopher.Client{Dial: func(context.Context, string) (*conv.Conn, error) { return conv.New(nc, conv.Options{}), nil }}
}

func url(t gopher.Type, r gopher.Request) gopher.URL {
	return gopher.URL{Host: "rawBits.micro.umn.edu", Type: t, Request: r}
}

// fetch wants a content.
func fetch(ctx context.Context, c *gopher.Client, u gopher.URL, want string) error {
	r, err := c.Get(ctx, u)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil && string(got) != want {
		err = &differs{string(got), want}
	}
	return err
}

// differs is an answer that is not the right one.
type differs struct{ got, want string }

func (d *differs) Error() string { return fmt.Sprintf("%q, want %q", d.got, d.want) }

// menu wants names.
func menu(ctx context.Context, c *gopher.Client, u gopher.URL, want ...string) error {
	var names []string
	for item, err := range c.Menu(ctx, u) {
		if err != nil {
			return err
		}
		names = append(names, item.Name)
	}
	if !slices.Equal(names, want) {
		return &differs{strings.Join(names, "\n"), strings.Join(want, "\n")}
	}
	return nil
}

// attributes wants items and the blocks of the first.
func attributes(ctx context.Context, c *gopher.Client, u gopher.URL, items []string, blocks ...string) error {
	var names, first []string
	for a, err := range c.Attributes(ctx, u) {
		if err != nil {
			return err
		}
		if names = append(names, a.Item.Name); len(names) == 1 {
			for _, b := range a.Blocks {
				first = append(first, b.Name)
			}
		}
	}
	if !slices.Equal(names, items) || !slices.Equal(first, blocks) {
		return &differs{strings.Join(append(names, first...), "\n"), strings.Join(append(items, blocks...), "\n")}
	}
	return nil
}

// refused wants an error of the server.
func refused(err error, text string) error {
	e, ok := errors.AsType[*gopher.ServerError](err)
	switch {
	case !ok:
		return fmt.Errorf("no refusal: %v", err) //nolint:errorlint // a cut refusal may look like anything
	case e.Text != text || !errors.Is(err, fs.ErrNotExist):
		return &differs{e.Text, text}
	}
	return nil
}

// clients do what the transcripts have them do.
var clients = map[string]func(ctx context.Context, c *gopher.Client) error{
	"menu.txt": func(ctx context.Context, c *gopher.Client) error {
		return menu(ctx, c, url(gopher.Menu, gopher.Request{}), "About internet Gopher", "Around University of Minnesota",
			"Microcomputer News & Prices", "Courses, Schedules, Calendars", "Student-Staff Directories", "Departmental Publications")
	},
	"text.txt": func(ctx context.Context, c *gopher.Client) error {
		return fetch(ctx, c, url(gopher.Text, gopher.Request{Selector: "Stuff:About us"}), strings.ReplaceAll(aboutText, "\n", "\r\n"))
	},
	"binary.txt": func(ctx context.Context, c *gopher.Client) error {
		return fetch(ctx, c, url(gopher.Binary, gopher.Request{Selector: "Stuff:bin"}), string(binText))
	},
	"search.txt": func(ctx context.Context, c *gopher.Client) error {
		return menu(ctx, c, url(gopher.Search, gopher.Request{Selector: "Index", Search: "gopher and hole"}), "About internet Gopher", "You looked for gopher and hole")
	},
	"error.txt": func(ctx context.Context, c *gopher.Client) error {
		return refused(fetch(ctx, c, url(gopher.Binary, gopher.Request{Selector: "Stuff:nothing"}), ""), "'Stuff:nothing' does not exist")
	},
	"attributes.txt": func(ctx context.Context, c *gopher.Client) error {
		return attributes(ctx, c, url(gopher.Text, gopher.Request{Selector: "Stuff:About us"}), []string{"About internet Gopher"}, "ADMIN", "VIEWS", "ABSTRACT")
	},
	"all.txt": func(ctx context.Context, c *gopher.Client) error {
		return attributes(ctx, c, url(gopher.Menu, gopher.Request{Selector: "Stuff:DP:", Plus: "$+VIEWS+ABSTRACT"}),
			[]string{"About internet Gopher", "A program", "Elsewhere"}, "VIEWS", "ABSTRACT")
	},
	"view.txt": func(ctx context.Context, c *gopher.Client) error {
		return fetch(ctx, c, url(gopher.Text, gopher.Request{Selector: "Stuff:About us", Plus: "+application/postscript De_DE"}), psText)
	},
	"plus-error.txt": func(ctx context.Context, c *gopher.Client) error {
		return refused(fetch(ctx, c, url(gopher.Text, gopher.Request{Selector: "Stuff:nothing", Plus: "+"}), ""), "'Stuff:nothing' does not exist")
	},
}

// The transcripts at our client, cut at every byte.
func TestClientTalks(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		do := clients[script.Name]
		if do == nil {
			t.Errorf("%s: nobody plays the client", script.Name)
			continue
		}
		t.Run(script.Name, func(t *testing.T) {
			transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error { return do(ctx, over(nc)) })
		})
	}
}

// Under faults the client gives the right answer or an error.
func TestClientUnderFaults(t *testing.T) {
	scripts := servertest.Scripts(t, "testdata/talk/*.txt")
	for seed := range uint64(150) {
		script := scripts[int(seed)%len(scripts)]
		near, far := transcript.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = transcript.Play(ctx, far, script, transcript.ServerSide) // the faults are its own affair
			far.Close()
		}()
		err := clients[script.Name](ctx, over(faults.Layer(faults.Mix(seed)...)(near)))
		if d, ok := errors.AsType[*differs](err); ok && !strings.HasPrefix(d.want, d.got) { // the end of the stream is all that tells
			t.Errorf("seed %d, %s: %v", seed, script.Name, err)
		}
		cancel()
		near.Close()
		<-done
	}
}

// answered plays a server that says text, whatever it is asked, and closes.
func answered(t *testing.T, text string) *gopher.Client {
	t.Helper()
	near, far := transcript.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := far.Read(make([]byte, 4096)); err == nil {
			_, _ = io.WriteString(far, text) // the client may have seen enough
		}
		far.Close()
	}()
	t.Cleanup(func() { near.Close(); <-done })
	return over(near)
}

func TestTextsOfTheWild(t *testing.T) {
	for _, c := range []struct{ name, sent, want string }{
		{"RFC", "a\r\n..\r\n...b\r\n.\r\n", "a\r\n.\r\n..b\r\n"},
		{"no dot at the end", "a\r\nb", "a\r\nb"},
		{"as it is, with LF", "a\n.profile\n.\nb\n", "a\n.profile\n.\nb\n"},
		{"LF and a dot", "a\nb\n.\r\n", "a\nb\n"},
		{"LF and a dot with LF", "a\nb\n.\n", "a\nb\n"},
		{"only a dot", ".\r\n", ""},
		{"a dot, cut", "a\r\n.", "a\r\n"},
		{"a dot and CR, cut", "a\r\n.\r", "a\r\n"},
		{"a dot and CR", "a\r\n.\rb\r\n.\r\n", "a\r\n.\rb\r\n"},
		{"nothing", "", ""},
		{"more behind the dot", "a\r\n.\r\nb\r\n", "a\r\n"},
		{"a long line", strings.Repeat("x", 100_000) + "\r\n.\r\n", strings.Repeat("x", 100_000) + "\r\n"},
		{"like an error, but a table", "3\t4\t5\t6\r\n1\t2\t3\t4\r\n.\r\n", "3\t4\t5\t6\r\n1\t2\t3\t4\r\n"},
		{"three", "3 things\r\n.\r\n", "3 things\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := fetch(t.Context(), answered(t, c.sent), url(gopher.Text, gopher.Request{}), c.want); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMenusOfTheWild(t *testing.T) {
	const sent = "iWelcome\t\t(NULL)\t0\n\r\nno tabs, no type\r\n1Docs\t/docs\r\n0IPv6\tx\t[2001:db8::1]\t 7070 \r\n" +
		"hWeb\tURL:https://example.org/\r\niOnly text\r\n0Bad port\tx\thost\tseventy\r\n1Tail\t/\thost\t70\t+\tmore\r\n"
	want := []gopher.Item{
		{Type: gopher.Info, Name: "Welcome", Host: "(NULL)", Port: 70},
		{Type: 'n', Name: "o tabs, no type", Host: "rawBits.micro.umn.edu", Port: 70},
		{Type: gopher.Menu, Name: "Docs", Selector: "/docs", Host: "rawBits.micro.umn.edu", Port: 70},
		{Type: gopher.Text, Name: "IPv6", Selector: "x", Host: "2001:db8::1", Port: 7070},
		{Type: gopher.HTML, Name: "Web", Selector: "URL:https://example.org/", Host: "rawBits.micro.umn.edu", Port: 70},
		{Type: gopher.Info, Name: "Only text", Host: "rawBits.micro.umn.edu", Port: 70},
		{Type: gopher.Info, Name: "0Bad port x host seventy", Host: "error.host", Port: 1},
		{Type: gopher.Menu, Name: "Tail", Selector: "/", Host: "host", Port: 70, Plus: "+"},
	}
	var got []gopher.Item
	for item, err := range answered(t, sent).Menu(t.Context(), url(gopher.Menu, gopher.Request{})) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, item)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if link := got[4].Link(); link != "https://example.org/" || got[0].Link() != "" {
		t.Errorf("link %q", link)
	}
	if to := (gopher.URL{TLS: true, Host: "rawBits.micro.umn.edu"}).To(got[2]); !to.TLS || to.Selector != "/docs" {
		t.Errorf("a menu of the same server: %v", to)
	}
	if to := (gopher.URL{TLS: true, Host: "h"}).To(got[3]); to.String() != "gopher://[2001:db8::1]:7070/0x" {
		t.Errorf("another server: %v", to)
	}
}

func TestPlusOfTheWild(t *testing.T) {
	u := url(gopher.Text, gopher.Request{Selector: "x", Plus: "+"})
	for _, c := range []struct{ name, sent, want string }{
		{"a server without it", "a\r\n.\r\n", "a\r\n"},
		{"no length", "+-2\r\n.\r\na", ".\r\na"},
		{"a length", "+3\r\nabcdef", "abc"},
		{"length 0", "+0\r\n", ""},
		{"a text that begins so", "+1 for that\r\n.\r\n", "+1 for that\r\n"},
	} {
		if err := fetch(t.Context(), answered(t, c.sent), u, c.want); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := fetch(t.Context(), answered(t, "+5\r\nabc"), u, ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is short: %v", err)
	}
	err := fetch(t.Context(), answered(t, "--1\r\n2 <fng@bogus.edu>\r\nMy load is too high.\r\n.\r\n"), u, "")
	if e, ok := errors.AsType[*gopher.ServerError](err); !ok || e.Code != gopher.CodeBusy || e.Text != "My load is too high." || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := fetch(t.Context(), answered(t, "+-1\r\nhalf"), u, ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a text that does not end: %v", err)
	}
	for _, err := range answered(t, "a text\r\n.\r\n").Attributes(t.Context(), url(gopher.Text, gopher.Request{})) {
		if !errors.Is(err, gopher.ErrAttributes) {
			t.Errorf("attributes of a server without them: %v", err)
		}
	}
}

func TestClientRefusesWhatMustNotBeSent(t *testing.T) {
	c := &gopher.Client{Dial: func(context.Context, string) (*conv.Conn, error) {
		t.Error("it was sent")
		return nil, errors.New("no")
	}}
	for _, r := range []gopher.Request{
		{Selector: "a\r\nQUIT"}, {Selector: "a\tb"}, {Selector: "a\n"}, {Search: "x\r\n"}, {Search: "a\tb"}, {Plus: "+\r\n"}, {Selector: "\x00"}, {Plus: "+", Flag: "\r\n"}, {Flag: "1"},
	} {
		if err := fetch(t.Context(), c, url(gopher.Text, r), ""); !errors.Is(err, gopher.ErrField) && !errors.Is(err, gopher.ErrRequest) {
			t.Errorf("%q: %v", r, err)
		}
	}
	for _, typ := range []gopher.Type{gopher.Telnet, gopher.TN3270, gopher.CSO, gopher.Info, gopher.Error, gopher.Mirror} {
		if err := fetch(t.Context(), c, url(typ, gopher.Request{}), ""); !errors.Is(err, gopher.ErrType) {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// The body's life is the context's, and Close ends a read.
func TestClientObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := transcript.Pipe()
		defer far.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := io.WriteString(far, "half a line"); err != nil {
			t.Fatal(err)
		}
		r, err := over(near).Get(ctx, url(gopher.Text, gopher.Request{}))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if string(got) != "half a line" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q %v", got, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // before the first byte
		near, far := transcript.Pipe()
		defer far.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := over(near).Get(ctx, url(gopher.Menu, gopher.Request{})); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		near, far := transcript.Pipe()
		defer far.Close()
		if _, err := io.WriteString(far, "x"); err != nil {
			t.Fatal(err)
		}
		r, err := over(near).Get(t.Context(), url(gopher.Binary, gopher.Request{}))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { r.Close() })
		if got, err := io.ReadAll(r); string(got) != "x" || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%q %v", got, err)
		}
	})
}

// Leaving a menu ends its connection.
func TestMenuIsLeft(t *testing.T) {
	near, far := transcript.Pipe()
	done := make(chan error, 1)
	go func() {
		for {
			if _, err := io.WriteString(far, "1again\t/\th\t70\r\n"); err != nil {
				done <- err
				return
			}
		}
	}()
	n := 0
	for _, err := range over(near).Menu(t.Context(), url(gopher.Menu, gopher.Request{})) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if err := <-done; err == nil {
		t.Error("the connection lives on")
	}
}

func TestCaps(t *testing.T) {
	c := answered(t, "CAPS\r\n\r\n# a comment\r\nCapsVersion=1\r\nServerSoftware = Bucktooth \r\n")
	caps, err := c.Caps(t.Context(), url(gopher.Menu, gopher.Request{}))
	if err != nil || caps.Get("CapsVersion") != "1" || caps.Get("ServerSoftware") != "Bucktooth" || caps.Get("x") != "" {
		t.Errorf("%q %v", caps, err)
	}
	if _, err := answered(t, "Error: no such file\r\n").Caps(t.Context(), url(gopher.Menu, gopher.Request{})); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a server without: %v", err)
	}
	again, err := gopher.ParseCaps(strings.NewReader(caps.String()))
	if err != nil || !slices.Equal(again, caps) {
		t.Errorf("%q %v", again, err)
	}
}
