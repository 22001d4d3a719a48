package imap_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/proto/imap"
)

// trip parses text; if that can be, what is written of it must be read as the
// same.
type trip func(t *testing.T, text []byte, st imap.Style) (ok bool)

func tripOf[T any](parse func([]byte) (T, error), write func(T, []byte) []byte) trip {
	return func(t *testing.T, text []byte, _ imap.Style) bool {
		t.Helper()
		return again(t, text, parse, write)
	}
}

// styled is tripOf for what has names or strings in it.
func styled[T any](parse func([]byte, bool) (T, error), write func(T, imap.Style, []byte) []byte) trip {
	return func(t *testing.T, text []byte, st imap.Style) bool {
		t.Helper()
		return again(t, text, func(b []byte) (T, error) { return parse(b, st&imap.UTF8 != 0) },
			func(v T, b []byte) []byte { return write(v, st, b) })
	}
}

func again[T any](t *testing.T, text []byte, parse func([]byte) (T, error), write func(T, []byte) []byte) bool {
	t.Helper()
	first, err := parse(text)
	if err != nil {
		if !errors.Is(err, imap.ErrSyntax) && !errors.Is(err, imap.ErrName) {
			t.Errorf("%q: %v is neither ErrSyntax nor ErrName", text, err)
		}
		return false
	}
	wire := write(first, nil)
	second, err := parse(wire)
	if err != nil {
		t.Fatalf("%q is %#v, written as %q: %v", text, first, wire, err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("%q is %#v; written as %q it is %#v", text, first, wire, second)
	}
	return true
}

func plain[T any](parse func([]byte) (T, error)) func([]byte, bool) (T, error) {
	return func(b []byte, _ bool) (T, error) { return parse(b) }
}

func asText[T any](parse func(string) (T, error)) func([]byte) (T, error) {
	return func(b []byte) (T, error) { return parse(string(b)) }
}

func appender[T interface{ Append([]byte) []byte }](v T, b []byte) []byte { return v.Append(b) }

func styler[T interface {
	Append(imap.Style, []byte) []byte
}](v T, st imap.Style, b []byte) []byte {
	return v.Append(st, b)
}

func withUID[T any](parse func([]byte, bool) (T, error), uid bool) func([]byte) (T, error) {
	return func(b []byte) (T, error) { return parse(b, uid) }
}

// row is one shape of the grammar, and texts that have it.
type row struct {
	name  string
	trip  trip
	texts []string
}

// commands are what clients say.
var commands = []row{
	{"command", tripOf(imap.ParseCommand, appender[imap.Command]), []string{"a1 NOOP", "a1 UID FETCH 1 FLAGS", "A.1 LOGIN {1}\r\nx {0}\r\n"}},
	{"set", tripOf(asText(imap.ParseSet), appender[imap.Set]), []string{"1", "2,4:7,9,12:*", "*:4,5:7", "4294967295"}},
	{"flags", tripOf(asText(imap.ParseFlags), func(f []imap.Flag, b []byte) []byte { return imap.AppendFlags(b, f) }), []string{"()", `(\Seen \answered $Junk \X \*)`}},
	{"fetch", tripOf(withUID(imap.ParseFetch, false), appender[imap.Fetch]), []string{
		"2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])", "1 ALL", "$ FAST", "1:* (UID BODY.PEEK[1.2.MIME]<0.10> BINARY[2]<3.4> BINARY.SIZE[1] PREVIEW (LAZY)) (CHANGEDSINCE 5)",
		"1 RFC822.TEXT", "1:* (FLAGS) (PARTIAL -1:-30)", `1 BODY[HEADER.FIELDS.NOT ("a b" {1}` + "\r\nx)]",
	}},
	{"uid fetch", tripOf(withUID(imap.ParseFetch, true), appender[imap.Fetch]), []string{"1:* FLAGS (CHANGEDSINCE 5 VANISHED PARTIAL 1:10)"}},
	{"fetch item", tripOf(asText(imap.ParseFetchItem), appender[imap.FetchItem]), []string{"BODY", "BODY[]", "BODY.PEEK[TEXT]<1.2>", "MODSEQ"}},
	{"store", tripOf(withUID(imap.ParseStore, false), appender[imap.Store]), []string{`2:4 +FLAGS (\Deleted)`, `1 -flags.silent \Seen $x`, `7,5 (UNCHANGEDSINCE 0) FLAGS ()`}},
	{"search", styled(plain(imap.ParseSearch), styler[imap.Search]), []string{
		`FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"`, `CHARSET UTF-8 TEXT {6}` + "\r\nabcdef", `RETURN (SAVE MIN) (OR SEEN (DELETED $)) 1:*`, `RETURN () ALL`,
		`MODSEQ "/flags/\\draft" all 620162338`, `MODSEQ 5 UID 1 HEADER x "" OLDER 3600 EMAILID M1 KEYWORD a SAVEDON 1-Jan-2000`, `RETURN (PARTIAL 1:10) SMALLER 1`,
		`TEXT "` + "\xc3\xa9" + `"`,
	}},
	{"key", styled(plain(imap.ParseKey), styler[imap.Key]), []string{"OR SEEN NOT (ALL)", "SENTBEFORE 2-Mar-1999", "((1 2) 3)"}},
	{"sort", styled(plain(imap.ParseSort), styler[imap.Sort]), []string{`(SUBJECT REVERSE DATE) UTF-8 ALL`, `RETURN (COUNT) (DISPLAYFROM) "x y" TO z`}},
	{"thread", styled(plain(imap.ParseThreadSearch), styler[imap.ThreadSearch]), []string{`REFERENCES UTF-8 SINCE 5-MAR-2000`}},
	{"list", styled(imap.ParseList, styler[imap.List]), []string{
		`"" *`, `~/Mail/ %`, `(SUBSCRIBED RECURSIVEMATCH) "" ("INBOX" "x/%") RETURN (CHILDREN STATUS (MESSAGES UNSEEN))`, `() "" {1}` + "\r\n*", `"" "" RETURN (SPECIAL-USE SUBSCRIBED)`, `"" "&-"`,
	}},
	{"status", styled(imap.ParseStatusCommand, styler[imap.StatusCommand]), []string{`blurdybloop (UIDNEXT MESSAGES)`, `inbox (SIZE HIGHESTMODSEQ)`}},
	{"select", styled(imap.ParseSelect, styler[imap.Select]), []string{`INBOX`, `"&U,BTFw-" (CONDSTORE)`, `x (QRESYNC (67890007 20050715194045000 41,43:211,214:541))`, `x (CONDSTORE QRESYNC (1 2 (1:2 3:4)))`, `x (QRESYNC (1 2 3 (4 5)))`}},
	{"notify", styled(imap.ParseNotify, styler[imap.Notify]), []string{
		`NONE`, `SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge)) (subtree (Lists "a b") (MessageNew messageexpunge FlagChange)) (personal NONE)`,
		`SET (mailboxes misc (MailboxName SubscriptionChange X-Other))`,
	}},
	{"setquota", styled(plain(imap.ParseSetQuota), styler[imap.SetQuota]), []string{`"" (STORAGE 512)`, `x ()`}},
	{"id", styled(plain(imap.ParseID), func(f []imap.Param, st imap.Style, b []byte) []byte { return imap.AppendID(st, b, f) }), []string{"NIL", `("name" "x" "os" NIL)`}},
}

// replies are what servers say.
var replies = []row{
	{"response", tripOf(imap.ParseResponse, appender[imap.Response]), []string{"* 23 EXISTS", "+ ok", "+ ", "* OK [X] y", "a1 NO x", "* SEARCH", "* 1 FETCH (UID 1)"}},
	{"status response", tripOf(imap.ParseStatus, appender[imap.Status]), []string{"OK x", `NO [BADCHARSET ({1}] x`, `BYE [X "a]b" c] d`, "BAD [] y", "PREAUTH hello"}},
	{"appenduid", tripOf(asText(imap.ParseAppendUID), appender[imap.AppendUID]), []string{"38505 3955", "1 2:3"}},
	{"copyuid", tripOf(asText(imap.ParseCopyUID), appender[imap.CopyUID]), []string{"38505 304,319:320 3956:3958"}},
	{"fetched", styled(plain(imap.ParseFetched), (*imap.Fetched).Append), []string{
		`()`, `(UID 4 FLAGS (\Seen) MODSEQ (12) INTERNALDATE " 7-Jul-1996 02:44:25 -0700" RFC822.SIZE 44827 EMAILID (M1) THREADID NIL SAVEDATE NIL PREVIEW "x" )`,
		`(BODY[HEADER] {3}` + "\r\nabc" + ` BODY[1]<3> "x" BINARY[1] ~{1}` + "\r\n\x00" + ` BINARY.SIZE[1] 5 BODY[2] NIL RFC822 {0}` + "\r\n)",
		`(X-GM-LABELS (\Inbox "a b") UID 4)`, `(THREADID (T1) SAVEDATE "01-Jan-2020 00:00:00 +0000" PREVIEW NIL)`,
		`(ENVELOPE ("d" "s" (("n" NIL "m" "h")) NIL NIL ((NIL NIL "g" NIL)(NIL NIL NIL NIL)) NIL NIL NIL "<1@x>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92))`,
	}},
	{"envelope", styled(plain(imap.ParseEnvelope), (*imap.Envelope).Append), []string{`(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)`}},
	{"bodystructure", styled(plain(imap.ParseBodyStructure), func(s *imap.BodyStructure, st imap.Style, b []byte) []byte { return s.Append(st, b, true) }), []string{
		`(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")`,
		`("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 10 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) 3 NIL ("inline" ("filename" "x")) ("en" "de") "loc" 1 (2 "3"))`,
		`("APPLICATION" "X" NIL NIL NIL NIL 0 "md5" NIL "en")`, `(("a" "b" NIL NIL NIL "7bit" 0)("a" "b" NIL NIL NIL "7bit" 0) "mixed" ("boundary" "x") NIL NIL NIL)`,
	}},
	{"found", tripOf(imap.ParseFound, appender[imap.Found]), []string{"", "2 84 882", "2 5 (MODSEQ 917162500)", "1 "}},
	{"esearch", tripOf(imap.ParseESearch, appender[imap.ESearch]), []string{`(TAG "a567") UID COUNT 5 ALL 4:19,21,28`, `MIN 2`, `UID`, `(TAG "x") PARTIAL (1:5 NIL) MODSEQ 5 X (y)`, ``}},
	{"threads", tripOf(imap.ParseThreads, func(v []imap.Thread, b []byte) []byte { return imap.AppendThreads(b, v) }), []string{"(2)(3 6 (4 23)(44 7 96))", "((3)(5))", "", "((((1))))"}},
	{"vanished", tripOf(imap.ParseVanished, appender[imap.Vanished]), []string{"(EARLIER) 41,43:116", "5"}},
	{"list", styled(imap.ParseListReply, styler[imap.ListReply]), []string{`(\Marked \NoInferiors) "/" "inbox"`, `() NIL x`, `(\HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("b&AOQ-r") X (y))`}},
	{"status", styled(imap.ParseStatusReply, styler[imap.StatusReply]), []string{`blurdybloop (MESSAGES 231 UIDNEXT 44292)`, `x (SIZE 5 X (a b) MAILBOXID (F1) APPENDLIMIT NIL)`, `x () `}},
	{"namespaces", styled(imap.ParseNamespaces, styler[imap.Namespaces]), []string{`(("" "/")) NIL NIL`, `(("" "/")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) (("~" "/")) (("#shared/" NIL))`}},
	{"quota", styled(plain(imap.ParseQuota), styler[imap.Quota]), []string{`"" (STORAGE 10 512)`, `x ()`}},
	{"quotaroot", styled(imap.ParseQuotaRoots, styler[imap.QuotaRoots]), []string{`INBOX ""`, `x`}},
}

func TestGrammar(t *testing.T) {
	for side, rows := range map[string][]row{"commands": commands, "replies": replies} {
		for _, row := range rows {
			t.Run(side+"/"+row.name, func(t *testing.T) {
				for _, text := range row.texts {
					for _, st := range []imap.Style{0, imap.UTF8, imap.NonSync} {
						if !row.trip(t, []byte(text), st) {
							t.Errorf("%q cannot be read", text)
						}
					}
				}
			})
		}
	}
}

// TestNoGrammar has what must not be read.
func TestNoGrammar(t *testing.T) {
	for name, texts := range map[string][]string{
		"command":     {"", "a1", "a1 ", "+ NOOP", "a1 NOOP ", "a1  NOOP", "a1 UID", "a{1} NOOP"},
		"set":         {"", "0", "1:", ",", "1,", "$", "4294967296", "1:2:3"},
		"fetch":       {"1", "1 ()", "1 FOO", "1 BODY[", "1 BODY[0]", "1 BODY[1.]", "1 BODY[MIME]", "1 BODY[]<0.0>", "1 BODY[HEADER.FIELDS ()]", "1 (FAST)", "1 BINARY.SIZE[TEXT]", "1 FLAGS (VANISHED CHANGEDSINCE 1)", "1 FLAGS (PARTIAL 1:-1)"},
		"store":       {"1 FLAGS", "1 FLAG (x)", `1 +FLAGS "x"`, "1 (UNCHANGEDSINCE) FLAGS x"},
		"search":      {"", "FOO", "()", "NOT", "OR SEEN", "SINCE 32-Feb-1994", "SINCE 1994", "RETURN (ALL PARTIAL 1:2) ALL", strings.Repeat("(", 300) + "ALL" + strings.Repeat(")", 300), strings.Repeat("SEEN ", 1001) + "SEEN"},
		"list":        {`""`, `"" (`, `(RECURSIVEMATCH) "" *`, `"" * RETURN`, `"" * RETURN (X)`, `"" ()`},
		"select":      {"x (", "x (FOO)", "x (QRESYNC (1 2 *))", `"&AAAA` + `"`},
		"status":      {"x", "x ()", "x (FOO)"},
		"sort":        {"() UTF-8 ALL", "(X) UTF-8 ALL", "(DATE) ALL"},
		"list string": {"\"a\rb\" *", "\"a\x00b\" *", `"a\b" *`, `{5}` + "\r\nabc *"},
	} {
		for _, row := range commands {
			if row.name != strings.TrimSuffix(name, " string") {
				continue
			}
			for _, text := range texts {
				if row.trip(t, []byte(text), 0) && !(name == "select" && text[0] == '"') {
					t.Errorf("%s: %q was read", name, text)
				}
			}
		}
	}
}

func fuzzTable(f *testing.F, n int, get func(i int) row) {
	for i := range n {
		for _, text := range get(i).texts {
			f.Add(byte(i), byte(0), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, which, style byte, text []byte) {
		get(int(which)%n).trip(t, text, imap.Style(style)&(imap.UTF8|imap.NonSync))
	})
}

func FuzzCommands(f *testing.F) {
	fuzzTable(f, len(commands), func(i int) row { return commands[i] })
}

func FuzzReplies(f *testing.F) {
	fuzzTable(f, len(replies), func(i int) row { return replies[i] })
}

func TestNames(t *testing.T) {
	for name, wire := range map[string]string{
		"~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-", // RFC 3501 section 5.1.3
		"a&b":                "a&-b", "": "", "Entwürfe": "Entw&APw-rfe", "😀": "&2D3eAA-",
	} {
		if got := imap.EncodeName(name); got != wire {
			t.Errorf("%q: %q", name, got)
		}
		if got, err := imap.DecodeName(wire); got != name || err != nil {
			t.Errorf("%q: %q, %v", wire, got, err)
		}
	}
	for _, bad := range []string{"&", "&AOQ", "&U,BTFw-&ZeVnLIqe-", "&AGE-", "ä", "&2D0-", "&AAA-x\n", "&U,BTFx-"} {
		if got, err := imap.DecodeName(bad); err == nil && imap.EncodeName(got) != bad {
			t.Errorf("%q is %q", bad, got)
		}
	}
	if _, err := imap.DecodeName("&AGE-"); !errors.Is(err, imap.ErrName) {
		t.Error("a letter in base64 is no name")
	}
}

func FuzzName(f *testing.F) {
	f.Add("~peter/mail/&U,BTFw-/&ZeVnLIqe-")
	f.Add("台北&")
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := imap.DecodeName(s); err == nil && imap.EncodeName(name) != s {
			t.Errorf("%q is %q, which is %q", s, name, imap.EncodeName(name))
		}
		clean := strings.ToValidUTF8(strings.ReplaceAll(s, "\ufffd", ""), "")
		clean = strings.ReplaceAll(clean, "\ufffd", "")
		if back, err := imap.DecodeName(imap.EncodeName(clean)); err != nil || back != clean {
			t.Errorf("%q is %q: %q, %v", clean, imap.EncodeName(clean), back, err)
		}
	})
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("", -8*3600)
	for text, want := range map[string]time.Time{
		" 7-Feb-1994 21:52:25 -0800": time.Date(1994, 2, 7, 21, 52, 25, 0, zone),
		"7-Feb-1994 21:52:25 -0800":  time.Date(1994, 2, 7, 21, 52, 25, 0, zone),
		"17-jul-1996 02:44:25 +0000": time.Date(1996, 7, 17, 2, 44, 25, 0, time.UTC),
	} {
		if got, err := imap.ParseTime(text); !got.Equal(want) || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "7-Feb-1994", "32-Feb-1994 00:00:00 +0000", "7-Feb-1994 25:00:00 +0000"} {
		if got, err := imap.ParseTime(bad); !errors.Is(err, imap.ErrSyntax) {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}
