package gopher_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/proto/gopher"
)

func TestItemRefusesBreaks(t *testing.T) {
	for _, i := range []gopher.Item{
		{Type: gopher.Text, Name: "a\r\n0b"}, {Type: gopher.Text, Selector: "a\tb"}, {Type: gopher.Text, Host: "h\n"}, {Type: gopher.Text, Plus: "+\r\n"}, {Type: gopher.Text, Name: "\x00"},
	} {
		if b, err := i.Append([]byte("x")); !errors.Is(err, gopher.ErrField) || string(b) != "x" {
			t.Errorf("%+v: %q %v", i, b, err)
		}
	}
	for _, i := range []gopher.Item{{}, {Type: ' '}, {Type: '\t'}, {Type: 0x80}, {Type: gopher.Text, Port: -1}, {Type: gopher.Text, Port: 65536}} {
		if _, err := i.Append(nil); !errors.Is(err, gopher.ErrItem) {
			t.Errorf("%+v: %v", i, err)
		}
	}
	for _, line := range []string{"", " x", "\tx", "0a\tb\tc\t65536", "0a\tb\tc\t-1", "0a\rb", "0a\x00b", "\xff"} {
		if i, err := gopher.ParseItem([]byte(line)); !errors.Is(err, gopher.ErrItem) {
			t.Errorf("%q: %+v %v", line, i, err)
		}
	}
}

// Every type has a word, and is asked for, or not, as RFC 1436 has it.
func TestTypes(t *testing.T) {
	const text, menus, others = "0146" + "7", "17", "238+Ti"
	for c := range 128 {
		typ := gopher.Type(c)
		if typ.String() == "" {
			t.Errorf("%#x has no name", c)
		}
		if got, want := typ.IsText(), strings.IndexByte(text, byte(c)) >= 0; got != want {
			t.Errorf("%#x: text %v, want %v", c, got, want)
		}
		if got, want := typ.IsMenu(), strings.IndexByte(menus, byte(c)) >= 0; got != want {
			t.Errorf("%#x: menu %v, want %v", c, got, want)
		}
		if got, want := typ.Fetchable(), strings.IndexByte(others, byte(c)) < 0; got != want {
			t.Errorf("%#x: fetched %v, want %v", c, got, want)
		}
	}
	for name, want := range map[string]gopher.Type{
		"a.txt": '0', "A.TXT": '0', "a.hqx": '4', "a.zip": '5', "a.uue": '6', "a.gif": 'g', "a.jpeg": 'I', "a.png": 'p', "a.html": 'h',
		"a.mp3": 's', "a.mp4": ';', "a.pdf": 'd', "a.eml": 'M', "a.ics": 'c', "a.xml": 'x', "a.rtf": 'r', "a.exe": '9', "README": '9', "": '9',
	} {
		if got := gopher.TypeOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestURLs(t *testing.T) {
	for s, want := range map[string]gopher.URL{
		"gopher://h":                                         {Host: "h", Type: gopher.Menu},
		"GOPHER://h/":                                        {Host: "h", Type: gopher.Menu},
		"gophers://h:7443/1/a":                               {TLS: true, Host: "h", Port: 7443, Type: gopher.Menu, Request: gopher.Request{Selector: "/a"}},
		"gopher://h/00/a":                                    {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "0/a"}},
		"gopher://h/0a?b=c%3Fd#top":                          {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "a?b=c?d"}},
		"gopher://h/7s%09two%20words":                        {Host: "h", Type: gopher.Search, Request: gopher.Request{Selector: "s", Search: "two words"}},
		"gopher://h/0a%09%09+":                               {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "a", Plus: "+"}},
		"gopher://h/0a%09%09!%2BABSTRACT%20%2BSMELL":         {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "a", Plus: "!+ABSTRACT +SMELL"}},
		"gopher://h/0a%09%09+application/postscript%20Es_ES": {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "a", Plus: "+application/postscript Es_ES"}},
		"gopher://h/0a%09%09+%091%0D%0A+-1%0D%0Ayes%0D%0A.%0D%0A": {
			Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "a", Plus: "+", Flag: "1"}, Data: "+-1\r\nyes\r\n.\r\n",
		},
		"gopher://[::1]:7070/9x":     {Host: "::1", Port: 7070, Type: gopher.Binary, Request: gopher.Request{Selector: "x"}},
		"gopher://[fe80::1%25eth0]/": {Host: "fe80::1%eth0", Type: gopher.Menu},
		"gopher://h/0%C3%A4%FF":      {Host: "h", Type: gopher.Text, Request: gopher.Request{Selector: "\u00e4\xff"}},
		"gopher://h:/":               {Host: "h", Type: gopher.Menu},
	} {
		got, err := gopher.ParseURL(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", s, got, err, want)
		}
		if again, err := gopher.ParseURL(got.String()); err != nil || again != got {
			t.Errorf("%s: again, as %s: %+v %v", s, got, again, err)
		}
	}
	for _, s := range []string{
		"", "h", "http://h/", "gopher:h", "gopher://", "gopher:///", "gopher://:70/", "gopher://h:0/", "gopher://h:65536/", "gopher://h:x/", "gopher://u@h/", "gopher://h?x",
		"gopher://::1/", "gopher://[::1/", "gopher://[h]/", "gopher://h/%0D", "gopher://h/0a%0D%0AQUIT%0D%0A", "gopher://h/0a%0A", "gopher://h/0a%00", "gopher://h/0%", "gopher://h/0%zz", "gopher://h/0%+1",
		"gopher://h/0a%09b%0D%0Ac", "gopher://h/0a%09%09+%090%0D%0Ax", "gopher://h/0a%09%09+%091", "gopher://h%0D%0A/", "gopher://h%2Fx/", "gopher://h%20x/", "gopher://h/%20x", "gopher://h/0a%09%09+%09x",
	} {
		if u, err := gopher.ParseURL(s); err == nil {
			t.Errorf("%q: %+v", s, u)
		}
	}
}

func TestAttributesOfTheWild(t *testing.T) {
	const text = "+INFO 0A\tb\th\t70\t+\n+ADMIN\n Admin: Frodo <f@x>\n Date: <19910101080003>\n\n+VIEWS:\n Text/plain: <10k>\n image/x: <1.5M>\n a/b\n c/d De_DE:\n+ABSTRACT: 0long\tsel\n short\n and\n+INFO: 1B\t/\n.\nrest"
	var all []gopher.Attributes
	for a, err := range gopher.ReadAttributes(iotest.OneByteReader(strings.NewReader(text))) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	if len(all) != 2 || all[1].Item.Selector != "/" || all[0].Admin() != "Frodo <f@x>" || all[0].Abstract() != "short\nand" || all[0].Block("ABSTRACT").Value != "0long\tsel" {
		t.Fatalf("%+v", all)
	}
	if got, want := all[0].ModTime(), time.Date(1991, 1, 1, 8, 0, 3, 0, time.UTC); !got.Equal(want) || !all[1].ModTime().IsZero() {
		t.Errorf("%v", got)
	}
	want := []gopher.View{{Media: "Text/plain", Size: 10240}, {Media: "image/x", Size: 1536 << 10}, {Media: "c/d", Lang: "De_DE", Size: -1}}
	if got := all[0].Views(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"text\n", "+ADMIN:\n", "+INFO: \n", "+INFO: 0a\tb\th\tx\n", "+INFO: 0a\n" + strings.Repeat(strings.Repeat("x", 4000)+"\n", 300)} {
		var err error
		for _, err = range gopher.ReadAttributes(strings.NewReader(bad)) {
		}
		if err == nil {
			t.Errorf("%.40q was taken", bad)
		}
	}
	for _, b := range []gopher.Block{{Name: "A\r\n"}, {Name: ""}, {Name: "A+B"}, {Name: "A", Value: "\n"}, {Name: "A", Lines: []string{"x\r\n+INFO: 0evil"}}} {
		if _, err := (gopher.Attributes{Item: about, Blocks: []gopher.Block{b}}).Append(nil); !errors.Is(err, gopher.ErrField) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func FuzzItem(f *testing.F) {
	for _, s := range []string{"0About\tStuff:About us\trawBits.micro.umn.edu\t70", "iinfo", "1x\t/\t[::1]\t 70 \t+\tz", "3e\t\terror.host\tx", "hW\tURL:http://x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		i, err := gopher.ParseItem(line)
		if err != nil {
			return
		}
		b, err := i.Append(nil)
		if err != nil {
			t.Fatalf("%q: %+v: %v", line, i, err)
		}
		if again, err := gopher.ParseItem(b); err != nil || again != i {
			t.Errorf("%q: %+v, again %+v %v", line, i, again, err)
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"", "a", "a\tb", "a\t+", "a\t+\t1", "a\tb\t!+X", "a\tb\t+\t0", "a\t\tx", "a\tb\tc\td", "a\t$\t0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := gopher.ParseRequest(line)
		if err != nil {
			return
		}
		b, err := r.Append(nil)
		if err != nil || bytes.ContainsAny(b, "\r\n\x00") {
			t.Fatalf("%q: %+v: %q %v", line, r, b, err)
		}
		if again, err := gopher.ParseRequest(b); err != nil || again != r {
			t.Errorf("%q: %+v, again %+v %v", line, r, again, err)
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"gopher://h", "gophers://[::1]:70/1/a?b#c", "gopher://h/7s%09two%20words%09+", "gopher://h/0a%09%09+%091%0D%0A+-1%0D%0Ayes", "gopher://h/0%0D%0A", "gopher://%41/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := gopher.ParseURL(s)
		if err != nil {
			return
		}
		if again, err := gopher.ParseURL(u.String()); err != nil || again != u {
			t.Errorf("%q: %+v, as %q again %+v %v", s, u, u, again, err)
		}
		line, err := u.Append(nil)
		if err != nil || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%q: asks %q %v", s, line, err)
		}
	})
}

func FuzzMenu(f *testing.F) {
	f.Add([]byte("iWelcome\t\t(NULL)\t0\n1Docs\t/docs\r\n.\r\n"))
	f.Add([]byte("x\r\n\r\n..\r\n.\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for item, err := range gopher.ReadMenu(bytes.NewReader(b)) {
			if err != nil {
				return
			}
			if _, err := item.Append(nil); err != nil {
				t.Errorf("%q: %+v: %v", b, item, err)
			}
		}
	})
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte("+INFO: 0A\tb\th\t70\t+\r\n+ADMIN:\r\n Admin: Frodo <f@x>\r\n+VIEWS:\r\n a/b x: <1k>\r\n.\r\n"))
	f.Add([]byte("+INFO 0A\n+\n+x:y\nz\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for a, err := range gopher.ReadAttributes(bytes.NewReader(b)) {
			if err != nil {
				return
			}
			_, _, _ = a.Views(), a.ModTime(), a.Admin()
			if _, err := a.Append(nil); err != nil && !errors.Is(err, gopher.ErrField) {
				t.Errorf("%q: %+v: %v", b, a, err)
			}
		}
	})
}

// FuzzText: what one end sends as a text, the other gives, with CRLF.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", ".", "a\n.\n..b", "\r\n.\r\n", "x\r.\n", "\n\n"} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, piece uint8) {
		near, far := transcript.Pipe()
		go func() {
			c := conv.New(far, conv.Options{})
			if _, err := c.R.LooseLine(); err == nil {
				_ = c.W.Block(bytes.NewReader(text)) // fails where the reader leaves, and then it says so
			}
			c.Close()
		}()
		r, err := over(near).Get(t.Context(), url(gopher.Text, gopher.Request{}))
		if e, ok := errors.AsType[*gopher.ServerError](err); ok && bytes.HasPrefix(text, []byte("3")) {
			t.Skipf("a text that is an error: %v", e)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(io.Reader(&pieces{r, int(piece)%7 + 1}))
		want := strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n", "\r\n")
		if want != "" && !strings.HasSuffix(want, "\r\n") {
			want = strings.TrimSuffix(want, "\r") + "\r\n"
		}
		if err != nil || string(got) != want {
			t.Errorf("%q came as %q, %v", text, got, err)
		}
	})
}

// pieces reads a few bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }
