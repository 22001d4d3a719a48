package ftp

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/wire"
)

func TestParseCommand(t *testing.T) {
	for line, want := range map[string]Command{
		"quit":                       {"QUIT", ""},
		"RETR a b ":                  {"RETR", "a b "},
		"CWD  lead":                  {"CWD", " lead"},
		"\xff\xf4\xff\xf2ABOR":       {"ABOR", ""}, // urgent data in line
		"\xff\xf4\xffABOR":           {"ABOR", ""}, // the mark taken out of line
		"\xff\xfb\x01NOOP":           {"NOOP", ""},
		"RETR \xff\xff":              {"RETR", "\xff"},
		"USER caf\xc3\xa9":           {"USER", "caf\xc3\xa9"},
		"XSHA512 f":                  {"XSHA512", "f"},
		"STOR f\xff":                 {"STOR", "f"},
		"MLST Type=file;Size=1; x;y": {"MLST", "Type=file;Size=1; x;y"},
	} {
		if got, err := ParseCommand([]byte(line)); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"", " ", " RETR a", "R\x00", "RETR a\x00b", "GET/1", "ABCDEFGHIJK"} {
		if got, err := ParseCommand([]byte(line)); !errors.Is(err, ErrCommand) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte("RETR a\xff\xffb"))
	f.Add([]byte("\xff\xf4\xff\xf2ABOR"))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := ParseCommand(line)
		if err != nil {
			return
		}
		back, err := ParseCommand(c.Append(nil))
		if err != nil || back != c {
			t.Fatalf("%q: %+v, then %+v, %v", line, c, back, err)
		}
	})
}

func TestReply(t *testing.T) {
	for text, want := range map[string]Reply{
		"220 ready\r\n": {220, []string{"ready"}},
		"211-Features:\r\n MDTM\r\n 211 no end\r\n211 End\r\n": {211, []string{"Features:", " MDTM", " 211 no end", "End"}},
		"257 \"a\xff\xffb\"\r\n":                               {257, []string{"\"a\xffb\""}},
	} {
		var r wire.Reader
		r.Init(wire.Over(strings.NewReader(text), &r), 0)
		got, err := ParseReply(&r)
		if err != nil || got.Error() != want.Error() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if b := got.Append(nil); string(b) != text {
			t.Errorf("%q: again %q", text, b)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add("211-Features:\r\n MDTM\r\n211 End\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := readReply(text)
		if r == nil {
			return
		}
		once := r.Append(nil)
		again := readReply(string(once))
		if again == nil || !bytes.Equal(again.Append(nil), once) {
			t.Fatalf("%q: %q, then %+v", text, once, again)
		}
	})
}

func readReply(text string) *Reply {
	var r wire.Reader
	r.Init(wire.Over(strings.NewReader(text), &r), 0)
	reply, err := ParseReply(&r)
	if err != nil {
		return nil
	}
	return &reply
}

func TestPath257(t *testing.T) {
	for text, want := range map[string]string{
		`"/a b" created`: "/a b",
		`"/a""b"`:        `/a"b`,
		`""`:             "",
	} {
		if got, err := path257(text); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
		if got, err := path257(quote257(want) + " x"); err != nil || got != want {
			t.Errorf("%s: back %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "no quotes", `"open`, `"open""`} {
		if got, err := path257(text); !errors.Is(err, ErrReply) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("Entering Passive Mode (127,0,0,1,7,138)")
	f.Add("|2|::1|2000|")
	f.Add("Extended (|||6446|)")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := parse227(s); err == nil {
			if b, err := parse227(string(appendHostPort(nil, a))); err != nil || a != b {
				t.Fatalf("%v, then %v, %v", a, b, err)
			}
		}
		if a, err := parseExtended(s); err == nil && !a.Addr().Is4In6() {
			if b, err := parseExtended(string(appendExtended(nil, a))); err != nil || a != b {
				t.Fatalf("%v, then %v, %v", a, b, err)
			}
		}
		if p, err := parse229(s); err == nil && p == 0 {
			t.Fatal("port 0")
		}
	})
}

func TestAddresses(t *testing.T) {
	want := netip.MustParseAddrPort("192.168.1.2:1930")
	for _, text := range []string{"Entering Passive Mode (192,168,1,2,7,138).", "=192,168,1,2,7,138", "Mode 1 is 192,168,1,2,7,138"} {
		if got, err := parse227(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1,2,3,4,5", "256,1,1,1,1,1", "(1,2,3,4,5,6,7)"} {
		if got, err := parse227(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, port := range map[string]uint16{"Entering (|||6446|)": 6446, "ok (!!!1!)": 1} {
		if got, err := parse229(text); err != nil || got != port {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "(|||0|)", "(|||70000|)", "(||1|)", "(|||x|)", "(|1|h|6446|)"} {
		if got, err := parse229(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if _, err := parseExtended("|3|x|1|"); !errors.Is(err, errFamily) {
		t.Error(err)
	}
	for _, text := range []string{"", "|1|::1|21|", "|2|1.2.3.4|21|", "|1|1.2.3.4|21", "|1|1.2.3.4|65536|", "|2|fe80::1%lo|21|"} {
		if got, err := parseExtended(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// now is when the listings below were made.
var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func date(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

// lists are lines of the wild, each in a form of its own.
var lists = []struct {
	line string
	want Entry
}{
	{"-rw-r--r--   1 root     other        531 Jan 29 03:26 README", Entry{"README", 0o644, 531, date("2026-01-29 03:26:00"), "", nil}},
	{"-rw-r--r--   1 root     other        531 Dec 29 03:26 README", Entry{"README", 0o644, 531, date("2025-12-29 03:26:00"), "", nil}},
	{"dr-xr-xr-x   2 root     other        512 Apr  8  1994 etc", Entry{"etc", fs.ModeDir | 0o555, -1, date("1994-04-08 00:00:00"), "", nil}},
	{"dr-xr-xr-x   2 root     512 Apr  8  1994 etc", Entry{"etc", fs.ModeDir | 0o555, -1, date("1994-04-08 00:00:00"), "", nil}},
	{"lrwxrwxrwx   1 root     other          7 Jan 25 00:17 bin -> usr/bin", Entry{"bin", fs.ModeSymlink | 0o777, 7, date("2026-01-25 00:17:00"), "usr/bin", nil}},
	{"-rw-r--r--+  1 u g 0 Mar 10 12:00  two  blanks ", Entry{" two  blanks ", 0o644, 0, date("2026-03-10 12:00:00"), "", nil}},
	{"-rwsr-x--T   1 1000 1000 5 Mar 01 2020 x", Entry{"x", 0o750 | fs.ModeSetuid | fs.ModeSticky, 5, date("2020-03-01 00:00:00"), "", nil}},
	{"-rw-r--r-- 1 user group with blanks 12 Mar 10 2020 Jan 1 2000 report", Entry{"Jan 1 2000 report", 0o644, 12, date("2020-03-10 00:00:00"), "", nil}},
	{"-rw-r--r-- 1 u g 12 10 Mar 2020 daymonth", Entry{"daymonth", 0o644, 12, date("2020-03-10 00:00:00"), "", nil}},
	{"-rw-r--r-- 1 u g 12 2024-05-06 07:08 iso", Entry{"iso", 0o644, 12, date("2024-05-06 07:08:00"), "", nil}},
	{"crw-rw-rw-   1 root     sys       13,  12 Apr  8  1994 null", Entry{"null", fs.ModeDevice | fs.ModeCharDevice | 0o666, -1, date("1994-04-08 00:00:00"), "", nil}},
	{"----------   1 owner    group         1803128 Jul 10 10:18 ls-lR.Z", Entry{"ls-lR.Z", 0, 1803128, date("2025-07-10 10:18:00"), "", nil}},
	{"d [R----F--] supervisor            512       Jan 16 18:53    login", Entry{"login", fs.ModeDir, -1, date("2026-01-16 18:53:00"), "", nil}},
	{"- [R----F--] rhesus             214059       Oct 20 15:27    cx.exe", Entry{"cx.exe", 0, 214059, date("2025-10-20 15:27:00"), "", nil}},
	{"-------r--         326  1391972  1392298 Nov 22  1995 MegaPhone.sit", Entry{"MegaPhone.sit", 0o004, 1392298, date("1995-11-22 00:00:00"), "", nil}},
	{"drwxrwxr-x               folder        2 May 10  1996 network", Entry{"network", fs.ModeDir | 0o775, -1, date("1996-05-10 00:00:00"), "", nil}},
	{"+i8388621.48594,m825718503,r,s280,up755,\tdjb.html", Entry{"djb.html", 0o755, 280, date("1996-03-01 22:15:03"), "", nil}},
	{"+i8388621.50690,m824255907,/,\t514", Entry{"514", fs.ModeDir, -1, date("1996-02-13 23:58:27"), "", nil}},
	{"04-27-00  09:09PM       <DIR>          licensed", Entry{"licensed", fs.ModeDir, -1, date("2000-04-27 21:09:00"), "", nil}},
	{"07-18-2000  10:16AM       <DIR>          pub dir", Entry{"pub dir", fs.ModeDir, -1, date("2000-07-18 10:16:00"), "", nil}},
	{"04-14-00  03:47PM                  589 readme.htm", Entry{"readme.htm", 0, 589, date("2000-04-14 15:47:00"), "", nil}},
	{"04-14-2019  15:47              1,589 r.htm", Entry{"r.htm", 0, 1589, date("2019-04-14 15:47:00"), "", nil}},
	{"CORE.DIR;1          1  8-SEP-1996 16:09 [SYSTEM] (RWE,RWE,RE,RE)", Entry{"CORE", fs.ModeDir, -1, date("1996-09-08 16:09:00"), "", nil}},
	{"CII-MANUAL.TEX;1  213/216  29-JAN-1996 03:33:12  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)", Entry{"CII-MANUAL.TEX", 0, 213 * 512, date("1996-01-29 03:33:12"), "", nil}},
	{"QSYS            77824 02/23/00 15:09:55 *DIR       QSYS.LIB/", Entry{"QSYS.LIB", fs.ModeDir, -1, date("2000-02-23 15:09:55"), "", nil}},
	{"PEP             36864 24.02.98 14:00:30 *FILE      A FILE", Entry{"A FILE", 0, 36864, time.Time{}, "", nil}},
}

func TestParseList(t *testing.T) {
	for _, l := range lists {
		got, err := ParseList(l.line, now)
		if l.want.Time.IsZero() {
			l.want.Time = date("1998-02-24 14:00:30")
		}
		if err != nil || got.Name != l.want.Name || got.Mode != l.want.Mode || got.Size != l.want.Size || !got.Time.Equal(l.want.Time) || got.Target != l.want.Target {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", l.line, got, err, l.want)
		}
	}
	for _, line := range []string{"", "total 12", "Directory USER:[ANONYMOUS]"} {
		if got, err := ParseList(line, now); !errors.Is(err, ErrNoEntry) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"hello", "-rw-r--r-- 1 u g 12 Mar 10 2020", "04-14-00  03:47PM  -5 x", "d", "NAME;1", "550 no such file"} {
		if got, err := ParseList(line, now); !errors.Is(err, ErrListing) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
}

func FuzzList(f *testing.F) {
	for _, l := range lists {
		f.Add(l.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseList(line, now)
		if err != nil {
			return
		}
		if e.Name == "" || e.Size < -1 {
			t.Fatalf("%q: %+v", line, e)
		}
		if strings.ContainsAny(e.Name, "\r\n") || strings.Contains(e.Name, " -> ") || e.IsDir() {
			return
		}
		again, err := ParseList(string(appendUnix(nil, e.Info(), e.Name, now)), now)
		if err != nil || again.Name != e.Name || again.Size != max(e.Size, 0) {
			t.Fatalf("%q: %+v, then %+v, %v", line, e, again, err)
		}
	})
}

func TestParseFacts(t *testing.T) {
	e, err := ParseFacts("Type=file;Size=1024990;Modify=19980203040506.25;Perm=r;UNIX.mode=0644; my file; x")
	if err != nil || e.Name != "my file; x" || e.Size != 1024990 || e.Mode != 0o644 || e.Facts["perm"] != "r" ||
		!e.Time.Equal(date("1998-02-03 04:05:06").Add(250*time.Millisecond)) {
		t.Errorf("%+v, %v", e, err)
	}
	e, err = ParseFacts("type=OS.unix=slink:/foobar; bar")
	if err != nil || e.Mode != fs.ModeSymlink || e.Target != "/foobar" || e.Size != -1 {
		t.Errorf("%+v, %v", e, err)
	}
	for _, line := range []string{"", "type=file;", "type=file x", "nonsense; x", "=1; x"} {
		if got, err := ParseFacts(line); !errors.Is(err, ErrListing) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	if e, err := ParseFacts(" bare"); err != nil || e.Name != "bare" {
		t.Errorf("%+v, %v", e, err)
	}
}

func FuzzFacts(f *testing.F) {
	f.Add("Type=file;Size=1024990;Modify=19980203040506.25;Perm=r; my file")
	f.Add("type=cdir;modify=1910203040506; x")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseFacts(line)
		if err != nil {
			return
		}
		b := allFacts.appendFacts(nil, e.Info(), "file", "r", e.Name)
		again, err := ParseFacts(string(b))
		if err != nil || again.Name != e.Name || e.Mode.IsRegular() && again.Size != max(e.Size, 0) {
			t.Fatalf("%q: %+v, then %q, %+v, %v", line, e, b, again, err)
		}
	})
}

// FuzzLocation: whatever a URL's path holds, no command can be smuggled in by
// it, and what it names is what it is made of.
func FuzzLocation(f *testing.F) {
	for _, path := range []string{"/a%20b", "/%2Fpub/sub/../t;type=a", "/pub/%3Btype=x", "/a%0d%0aDELE%20x", "//a//b/", "/x;type=d", "/%"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		at, err := parseLocation(escaped)
		if err != nil {
			return
		}
		names := slices.Concat(at.dirs, []string{at.file})
		for i, name := range names {
			if strings.ContainsAny(name, "\r\n\x00") || name == "" && i < len(at.dirs) {
				t.Fatalf("%q: %q", escaped, names)
			}
			names[i] = url.PathEscape(name)
		}
		path := "/" + strings.Join(names, "/")
		if at.kind != "" {
			path += ";type=" + at.kind
		}
		again, err := parseLocation(path)
		if err != nil || again.file != at.file || again.kind != at.kind || !slices.Equal(again.dirs, at.dirs) {
			t.Fatalf("%q: %+v, then %q: %+v, %v", escaped, at, path, again, err)
		}
	})
}
