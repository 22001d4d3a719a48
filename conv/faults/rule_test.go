package faults_test

import (
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv/faults"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]faults.Rule{
		"ftp RETR after=1MiB do=reset times=1":    {Service: "ftp", Verb: "RETR", After: 1 << 20, Do: faults.Reset, Times: 1},
		"smtp DATA after=10KiB do=stall":          {Service: "smtp", Verb: "DATA", After: 10 << 10, Do: faults.Stall},
		"echo after=5 do=close":                   {Service: "echo", After: 5, Do: faults.Close},
		`imap FETCH n=3 reply="NO [INUSE] later"`: {Service: "imap", Verb: "FETCH", N: 3, Reply: "NO [INUSE] later"},
		"pop3 RETR do=truncate":                   {Service: "pop3", Verb: "RETR", Do: faults.Truncate},
		"  Echo\tdir=in do=delay delay=20ms jitter=5ms ": {
			Service: "echo", Dir: faults.In, Do: faults.Delay, Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond,
		},
		"smtp mail from do=close":               {Service: "smtp", Verb: "MAIL FROM", Do: faults.Close},
		"upper do=throttle rate=10KiB/s":        {Service: "upper", Do: faults.Throttle, Rate: 10 << 10},
		"upper p=0.3 seed=7 do=lose":            {Service: "upper", P: 0.3, Seed: 7, Do: faults.Lose, Dir: faults.Out},
		"upper do=duplicate dir=both":           {Service: "upper", Do: faults.Duplicate},
		"ftp STOR do=delay delay=1s":            {Service: "ftp", Verb: "STOR", Do: faults.Delay, Delay: time.Second},
		"upper after=2GiB size=16 do=slice n=2": {Service: "upper", After: 2 << 30, Size: 16, Do: faults.Slice, N: 2},
	} {
		got, err := faults.Parse(in)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", in, got, err, want)
			continue
		}
		if again, err := faults.Parse(got.String()); err != nil || again != want {
			t.Errorf("Parse(%q) = %+v, %v", got.String(), again, err)
		}
	}
}

func TestString(t *testing.T) {
	for _, rule := range []string{
		"ftp RETR after=1MiB do=reset times=1",
		"smtp DATA after=10KiB do=stall",
		"echo after=5 do=close",
		`imap FETCH n=3 reply="NO [INUSE] later"`,
		"echo do=delay delay=1.5s jitter=10ms",
		"upper do=lose p=0.3 seed=7",
		"upper dir=both do=duplicate",
		"upper dir=in do=garble",
		"echo dir=out do=close",
	} {
		r, err := faults.Parse(rule)
		if err != nil || r.String() != rule {
			t.Errorf("%q is written %q, %v", rule, r, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "empty",
		"after=5 do=close":                "begins with the name of a service",
		"echo":                            "do=slice|delay",
		"echo after=5":                    "missing",
		"echo do=clsoe":                   `did you mean "close"?`,
		"echo do=explode":                 "there are slice, delay",
		"echo aftr=5 do=close":            `did you mean "after"?`,
		"echo after=5KB do=close":         "want a size",
		"echo after=-1 do=close":          "want a size",
		"echo after=+1 do=close":          "want a size",
		"echo after= do=close":            "want a size",
		"echo after=9999999999GiB do=cut": "want a size",
		"echo after=5 after=6 do=close":   "twice",
		"echo do=delay":                   "needs delay=",
		"echo do=throttle":                "needs rate=",
		"echo do=close delay=1s":          "do=delay, do=stall",
		"echo do=close rate=5":            "do=throttle",
		"echo p=0 do=close":               "want a chance",
		"echo p=NaN do=close":             "want a chance",
		"echo p=1.1 do=close":             "want a chance",
		"echo n=0 do=close":               "from 1",
		"echo dir=up do=close":            "in, out or both",
		"imap FETCH reply=\"NO":           "quotes",
		"imap FETCH reply=\"NO\"x":        "blank",
		"imap FETCH reply=NO later":       "in quotes",
		"imap reply=NO":                   "needs the verb",
		"imap FETCH reply=NO do=close":    "exclude",
		"imap FETCH after=5 reply=NO":     "no meaning",
		"echo SAY do=lose":                "datagrams",
		"echo 'SAY' do=close":             "no name",
	} {
		r, err := faults.Parse(in)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q) = %+v, %v, want an error with %q", in, r, err, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, deed := range faults.Deeds() {
		rule := "echo do=" + deed.Word
		switch faults.Deed(deed.Word) {
		case faults.Delay:
			rule += " delay=1s"
		case faults.Throttle:
			rule += " rate=1"
		}
		if _, err := faults.Parse(rule); err != nil || deed.Text == "" {
			t.Errorf("%q: %v, %q", rule, err, deed.Text)
		}
	}
	for _, key := range faults.Keys() {
		if key.Word == "" || key.Text == "" {
			t.Errorf("a key without words: %+v", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"ftp RETR after=1MiB do=reset times=1", `imap FETCH n=3 reply="NO [INUSE] \"later\"\r\n"`,
		"echo do=delay delay=1.5s jitter=10ms", "upper dir=out do=lose p=0.3 seed=7", "x do=slice size=5KiB", "a b c d=e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := faults.Parse(s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error of %q has more than one line: %v", s, err)
			}
			return
		}
		again, err := faults.Parse(r.String())
		if err != nil || again != r {
			t.Fatalf("Parse(%q) = %+v, written %q, read again %+v, %v", s, r, r, again, err)
		}
	})
}
