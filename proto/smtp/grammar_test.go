package smtp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/wire"
)

func TestParseCommand(t *testing.T) {
	for line, want := range map[string]Command{
		"quit":                 {"QUIT", ""},
		"NOOP  \t":             {"NOOP", ""},
		"mail FROM:<a@b> X=Y ": {"MAIL", "FROM:<a@b> X=Y"},
		"EHLO  two blanks":     {"EHLO", "two blanks"},
		"ETRN @example.org":    {"ETRN", "@example.org"},
		"HELO caf\xc3\xa9":     {"HELO", "caf\xc3\xa9"},
	} {
		if got, err := ParseCommand([]byte(line)); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"", " ", " MAIL", "M\x00", "HELP a\x00b", "GET/1", "ABCDEFGHIJKLMNOPQ", "MAIL\tFROM:<a@b>"} {
		if got, err := ParseCommand([]byte(line)); !errors.Is(err, ErrCommand) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
}

// mailboxes are addresses and what they mean.
var mailboxes = map[string]Mailbox{
	"":                         {},
	"ann@example.test":         {"ann", "example.test"},
	`"ann"@example.test`:       {"ann", "example.test"},
	`"a b"@example.test`:       {"a b", "example.test"},
	`"a\"b\\c"@example.test`:   {`a"b\c`, "example.test"},
	"a..b@example.test":        {"a..b", "example.test"}, // seen in the wild
	"o'neil+x=y@ex_ample":      {"o'neil+x=y", "ex_ample"},
	"Postmaster":               {"Postmaster", ""},
	"a@[192.0.2.1]":            {"a", "[192.0.2.1]"},
	"a@[IPv6:2001:db8::1]":     {"a", "[IPv6:2001:db8::1]"},
	"用户@例え.jp":                 {"用户", "例え.jp"},
	`"<>,;:@()[]"@example.org`: {"<>,;:@()[]", "example.org"},
}

func TestMailbox(t *testing.T) {
	for text, want := range mailboxes {
		got, err := ParseMailbox(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
			continue
		}
		if back, err := ParseMailbox(got.String()); err != nil || back != want || !got.valid() {
			t.Errorf("%q: back from %q: %+v, %v", text, got, back, err)
		}
	}
	for _, text := range []string{
		"@x", "a@", "a@b@c", "a b@c", "a@b c", "<a@b>", `"a@b`, `"a"b@c`, `""@c`, "a@.b", "a@b.", "a@b..c", "a@[", "a@[]", "a@[a b]",
		"a\r\n@b", "a@b\r\nRCPT TO:<c@d>", "\xff@b", "a@\xff", "a@b>", `"a` + "\r\n" + `"@b`, "(a)@b", "a\x00@b", strings.Repeat("d", 256) + "@",
	} {
		if got, err := ParseMailbox(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if (Mailbox{"a", "b> SIZE=1"}).valid() || (Mailbox{strings.Repeat("a", 300), "b"}).valid() {
		t.Error("a mailbox that cannot be said is valid")
	}
}

func TestParseSender(t *testing.T) {
	for arg, want := range map[string]Sender{
		"FROM:<>":                            {},
		"from:<a@b>":                         {Mailbox: Mailbox{"a", "b"}},
		"FROM: <a@b>":                        {Mailbox: Mailbox{"a", "b"}},
		"FROM:<@x,@y:a@b>":                   {Mailbox: Mailbox{"a", "b"}},
		"FROM:<a@b> SIZE=500000":             {Mailbox: Mailbox{"a", "b"}, Size: 500000},
		"FROM:<a@b> BODY=8bitmime SMTPUTF8":  {Mailbox: Mailbox{"a", "b"}, Body: Body8Bit, UTF8: true},
		"FROM:<a@b> BODY=BINARYMIME":         {Mailbox: Mailbox{"a", "b"}, Body: BodyBinary},
		"FROM:<a@b> RET=HDRS ENVID=QQ314159": {Mailbox: Mailbox{"a", "b"}, Return: ReturnHeader, EnvID: "QQ314159"},
		"FROM:<a@b> AUTH=e+3Dmc2@b":          {Mailbox: Mailbox{"a", "b"}, Auth: "e=mc2@b"},
		"FROM:<a@b> AUTH=<>":                 {Mailbox: Mailbox{"a", "b"}, Auth: "<>"},
		"FROM:<a@b> REQUIRETLS":              {Mailbox: Mailbox{"a", "b"}, RequireTLS: true},
		"FROM:<a@b> HOLDFOR=60 X-A":          {Mailbox: Mailbox{"a", "b"}, Extra: []Param{{"HOLDFOR", "60"}, {"X-A", ""}}},
	} {
		got, err := ParseSender(arg)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", arg, got, err)
			continue
		}
		if back, err := ParseSender(string(got.Append(nil))); err != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("%q: back %+v, %v", arg, back, err)
		}
	}
	for arg, code := range map[string]int{
		"": 501, "FROM": 501, "TO:<a@b>": 501, "FROM:a@b": 501, "FROM:<a@b": 501, "FROM:<a@b>SIZE=1": 501, "FROM:<a@b> SIZE=": 501,
		"FROM:<a@b> SIZE=-1": 501, "FROM:<a@b> SIZE=+1": 501, "FROM:<a@b> SIZE=99999999999999999999": 501, "FROM:<a@b> SIZE=1 SIZE=2": 501, "FROM:<a@b> BODY=9BIT": 501,
		"FROM:<a@b> =x": 501, "FROM:<a@b> SMTPUTF8=1": 501, "FROM:<a@b> AUTH=a+3": 501, "FROM:<@x a@b>": 501, "FROM:<" + strings.Repeat("a", 300) + "@b>": 501,
	} {
		_, err := ParseSender(arg)
		if r, ok := errors.AsType[Reply](err); !ok || r.Code != code {
			t.Errorf("%q: %v", arg, err)
		}
	}
}

func TestParseRecipient(t *testing.T) {
	for arg, want := range map[string]Recipient{
		"TO:<Postmaster>":                        {Mailbox: Mailbox{"Postmaster", ""}},
		"TO:<a@b> NOTIFY=SUCCESS,DELAY":          {Mailbox: Mailbox{"a", "b"}, Notify: NotifySuccess | NotifyDelay},
		"TO:<a@b> NOTIFY=NEVER":                  {Mailbox: Mailbox{"a", "b"}, Notify: NotifyNever},
		"TO:<a@b> ORCPT=rfc822;Bob+2BX@c":        {Mailbox: Mailbox{"a", "b"}, ORcpt: "rfc822;Bob+X@c"},
		"TO:<a@b> ORCPT=utf-8;B\xc3\xb6b@c RRVS": {Mailbox: Mailbox{"a", "b"}, ORcpt: "utf-8;B\xc3\xb6b@c", Extra: []Param{{"RRVS", ""}}},
	} {
		got, err := ParseRecipient(arg)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", arg, got, err)
			continue
		}
		if back, err := ParseRecipient(string(got.Append(nil))); err != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("%q: back %+v, %v", arg, back, err)
		}
	}
	for _, arg := range []string{"TO:<>", "TO:ann@example.test", "TO:<a@b> NOTIFY=NEVER,SUCCESS", "TO:<a@b> NOTIFY=NOW", "TO:<a@b> ORCPT=x", "TO:<a@b> ORCPT=rfc822;+ZZ"} {
		if got, err := ParseRecipient(arg); err == nil {
			t.Errorf("%q: %+v", arg, got)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add("FROM:<a@b> SIZE=1 BODY=8BITMIME ENVID=a+2Bb")
	f.Add("TO:<\"a b\"@[1.2.3.4]> NOTIFY=NEVER ORCPT=rfc822;a@b X=y")
	for text := range mailboxes {
		f.Add("TO:<" + text + ">")
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if s, err := ParseSender(arg); err == nil {
			back, err := ParseSender(string(s.Append(nil)))
			if err != nil || !reflect.DeepEqual(back, s) {
				t.Fatalf("%q: %+v, then %+v, %v", arg, s, back, err)
			}
		}
		if r, err := ParseRecipient(arg); err == nil {
			line := string(r.Append(nil))
			back, err := ParseRecipient(line)
			if err != nil || !reflect.DeepEqual(back, r) || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%q: %+v, then %+v, %v", arg, r, back, err)
			}
		}
		if c, err := ParseCommand([]byte(arg)); err == nil {
			if back, err := ParseCommand(c.Append(nil)); err != nil || back != c {
				t.Fatalf("%q: %+v, then %+v, %v", arg, c, back, err)
			}
		}
	})
}

func readReply(text string) (Reply, error) {
	var r wire.Reader
	r.Init(wire.Over(strings.NewReader(text), &r), 0)
	return ParseReply(&r)
}

func TestReply(t *testing.T) {
	for text, want := range map[string]Reply{
		"220 ready\r\n":                            {220, Status{}, "ready"},
		"250 2.1.5 OK\r\n":                         {250, Status{2, 1, 5}, "OK"},
		"550-5.1.1 No such\r\n550 5.1.1 user\r\n":  {550, Status{5, 1, 1}, "No such\nuser"},
		"250-host\r\n250 SIZE 10\r\n":              {250, Status{}, "host\nSIZE 10"},
		"250 5.1.1 of another class\r\n":           {250, Status{}, "5.1.1 of another class"},
		"354 go\r\n":                               {354, Status{}, "go"},
		"451 4.7.00 leading zero is no status\r\n": {451, Status{}, "4.7.00 leading zero is no status"},
		"250 2.0.0 \r\n":                           {250, Status{2, 0, 0}, ""},
	} {
		got, err := readReply(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if b := string(got.Append(nil)); b != text {
			t.Errorf("%q: again %q", text, b)
		}
	}
	forged := Reply{250, Status{}, "a\r\n550 b\x00"}
	if got := string(forged.Append(nil)); got != "250-a \r\n250 550 b \r\n" {
		t.Errorf("a reply forged another: %q", got)
	}
	if r := parseReplyText("452 4.2.2 full"); r != (Reply{452, Status{4, 2, 2}, "full"}) {
		t.Errorf("%+v", r)
	}
	if r := parseReplyText("nonsense"); r.Code != 451 {
		t.Errorf("%+v", r)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("250-mx greets you\r\n250-SIZE 10\r\n250-LIMITS RCPTMAX=5\r\n250 AUTH=LOGIN PLAIN\r\n")
	f.Add("550-5.1.1 No such\r\n550 5.1.1 user\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readReply(text)
		if err != nil {
			return
		}
		once := r.Append(nil)
		again, err := readReply(string(once))
		if err != nil || !bytes.Equal(again.Append(nil), once) {
			t.Fatalf("%q: %q, then %+v, %v", text, once, again, err)
		}
		greeting, c := ParseCapabilities(r)
		if _, back := ParseCapabilities(c.Reply(greeting)); !reflect.DeepEqual(back, c) {
			t.Fatalf("%q: %v, then %v", text, c, back)
		}
		_ = c.Number("LIMITS", "RCPTMAX")
	})
}

func TestCapabilities(t *testing.T) {
	_, c := ParseCapabilities(Reply{Code: 250, Text: "mx greets\nSIZE 1000\nAUTH=LOGIN PLAIN\nlimits RCPTMAX=20 MAILMAX=5\nnot,one\nSIZE 2\nPIPELINING"})
	if got, _ := c.Get("AUTH"); got != "LOGIN PLAIN" || c.Number("SIZE", "") != 1000 || c.Number("LIMITS", "RCPTMAX") != 20 || c.Number("LIMITS", "X") != 0 || !c.Has("PIPELINING") || len(c) != 4 {
		t.Errorf("%v", c)
	}
}

// breakShapes are texts, and what they are with their line ends made CRLF.
var breakShapes = map[string]string{
	"":           "",
	"a":          "a",
	"a\r\nb\r\n": "a\r\nb\r\n",
	"a\nb\n":     "a\r\nb\r\n",
	"a\rb":       "a\r\nb",
	"\r\r\n\n":   "\r\n\r\n\r\n",
	"\n\r":       "\r\n\r\n",
	"a\r":        "a\r\n",
}

func TestCRLFReader(t *testing.T) {
	for in, want := range breakShapes {
		got, err := io.ReadAll(&crlfReader{r: strings.NewReader(in)})
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// FuzzBreaks looks for a difference between the repair of line ends, the test
// whether they need it, and a plain description of both, however they are cut.
func FuzzBreaks(f *testing.F) {
	for in := range breakShapes {
		f.Add(in, 1)
	}
	f.Fuzz(func(t *testing.T, in string, cut int) {
		want := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n"), "\n", "\r\n")
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.DataErrReader(strings.NewReader(in))} {
			got, err := io.ReadAll(iotest.OneByteReader(&crlfReader{r: r}))
			if err != nil || string(got) != want {
				t.Fatalf("%q: %q, %v", in, got, err)
			}
		}
		b := &body{}
		at := min(max(cut, 0), len(in))
		bare := b.breaks([]byte(in[:at]))
		bare = b.breaks([]byte(in[at:])) || bare
		if bare = bare || b.cr; bare != (want != in) {
			t.Fatalf("%q cut at %d: bare is %v", in, at, bare)
		}
	})
}
