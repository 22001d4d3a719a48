package talk_test

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/farend-go/farend/internal/cli/talk"
)

func TestLineFeedsBecomeCRLFWhereverTheyAreCut(t *testing.T) {
	in := []byte("a\nb\r\n\n\r\r\nc\r\nend\n")
	want := "a\r\nb\r\n\r\n\r\r\nc\r\nend\r\n"
	for i := range len(in) + 1 {
		if got := talk.Translate(in[:i], nil, in[i:]); string(got) != want {
			t.Errorf("cut at %d: %q, want %q", i, got, want)
		}
	}
}

func TestVisibleTextDoesNothingToATerminal(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain\ttext\r\n", "plain\ttext\n"},
		{"bare\nfeed", "bare\nfeed"},
		{"\x1b[2Jgone?", "^[[2Jgone?"},
		{"over\rwritten\r\n", "over^Mwritten\n"},
		{"caf\u00e9 \ud55c\uad6d\uc5b4", "caf\u00e9 \ud55c\uad6d\uc5b4"},
		{"latin \xe9.", `latin \xe9.`},
		{"\u009b2J", `\u009b2J`},
		{"\u202egnp.exe", `\u202egnp.exe`},
		{"\x7f\x00", "^?^@"},
		{"cut \xed\x95", `cut \xed\x95`},
		{"end\r", "end^M"},
	} {
		if got := talk.VisibleAll([]byte(c.in)); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add([]byte("caf\u00e9\r\n\x1b[0m"), 4)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		whole := talk.VisibleAll(b)
		for _, r := range whole {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("%q shows the control character %q", b, r)
			}
		}
		if !utf8.ValidString(whole) {
			t.Fatalf("%q becomes %q", b, whole)
		}
		cut = min(max(cut, 0), len(b))
		first, rest := talk.Visible(b[:cut])
		if both := first + talk.VisibleAll(append(slices.Clip(rest), b[cut:]...)); both != whole {
			t.Fatalf("%q cut at %d: %q, whole: %q", b, cut, both, whole)
		}
	})
}

func TestDumpCountsEachDirection(t *testing.T) {
	var out bytes.Buffer
	d := talk.NewDump(&out)
	d.Show(true, []byte("GET\r\n"))
	d.Show(false, []byte("0123456789abcdefg"))
	d.Show(true, []byte("x"))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := []string{
		"> 00000000  47 45 54 0d 0a                                    |GET..|",
		"< 00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|",
		"< 00000010  67                                                |g|",
		"> 00000005  78                                                |x|",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), strings.Join(want, "\n"))
	}
}

func TestCiphersAreCalledByWhatTellsThemApart(t *testing.T) {
	for id, want := range map[uint16]string{
		tls.TLS_AES_128_GCM_SHA256:                      "AES_128_GCM",
		tls.TLS_CHACHA20_POLY1305_SHA256:                "CHACHA20_POLY1305",
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:     "AES_256_GCM",
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "CHACHA20_POLY1305",
	} {
		if got := talk.Cipher(id); got != want {
			t.Errorf("%s: %q, want %q", tls.CipherSuiteName(id), got, want)
		}
	}
}

func TestSpansAreRoundedToWhatMatters(t *testing.T) {
	for d, want := range map[time.Duration]string{
		41*24*time.Hour + time.Hour: "41 days", 47 * time.Hour: "47 hours", time.Hour: "1 hour", 59 * time.Minute: "59 minutes",
	} {
		if got := talk.Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestTabCompletesACommandThatIsAlone(t *testing.T) {
	for line, want := range map[string]string{":st": ":starttls ", ":c": "", ":cl": ":close", "st": "", ":": "", ":hex o": ""} {
		got, ok := talk.Complete(line)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", line, got, ok, want)
		}
	}
}
