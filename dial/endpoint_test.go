package dial_test

import (
	"strings"
	"testing"

	"github.com/farend-go/farend/dial"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want dial.Endpoint
		out  string // "" where it is in
		name string // ServerName
	}{
		{"tcp:localhost:9999", dial.Endpoint{Scheme: dial.TCP, Host: "localhost", Port: "9999"}, "", "localhost"},
		{"TCP://localhost:http", dial.Endpoint{Scheme: dial.TCP, Host: "localhost", Port: "http"}, "tcp:localhost:http", "localhost"},
		{"tls:[::1]:443", dial.Endpoint{Scheme: dial.TLS, Host: "::1", Port: "443"}, "", "::1"},
		{"starttls:[fe80::1%eth0]:25", dial.Endpoint{Scheme: dial.StartTLS, Host: "fe80::1%eth0", Port: "25"}, "", "fe80::1"},
		{"tls:127.1:443", dial.Endpoint{Scheme: dial.TLS, Host: "127.1", Port: "443"}, "", "127.0.0.1"},
		{"tls:2130706433:443", dial.Endpoint{Scheme: dial.TLS, Host: "2130706433", Port: "443"}, "", "127.0.0.1"},
		{"tcp::80", dial.Endpoint{Scheme: dial.TCP, Port: "80"}, "", "localhost"},
		{"udp:<broadcast>:9", dial.Endpoint{Scheme: dial.UDP, Host: "<broadcast>", Port: "9"}, "", "<broadcast>"},
		{"unix:/run/a b.sock", dial.Endpoint{Scheme: dial.Unix, Path: "/run/a b.sock"}, "", ""},
		{"unix:///run/x", dial.Endpoint{Scheme: dial.Unix, Path: "/run/x"}, "unix:/run/x", ""},
		{"unix:////run/x", dial.Endpoint{Scheme: dial.Unix, Path: "//run/x"}, "", ""},
		{"unixgram:@farend", dial.Endpoint{Scheme: dial.Unixgram, Path: "@farend"}, "", ""},
	} {
		got, err := dial.Parse(c.in)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", c.in, got, err, c.want)
			continue
		}
		if c.out == "" {
			c.out = c.in
		}
		if got.String() != c.out {
			t.Errorf("Parse(%q).String() = %q, want %q", c.in, got, c.out)
		}
		if got.ServerName() != c.name {
			t.Errorf("Parse(%q).ServerName() = %q, want %q", c.in, got.ServerName(), c.name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "begins with tcp:",
		"localhost:9999":     "begins with tcp:",
		"http://localhost:1": "begins with tcp:",
		"tcp:localhost":      "port is missing",
		"tcp:localhost:":     "port is missing",
		"tcp:::1:80":         "needs brackets",
		"tcp:h:65536":        "port",
		"tcp:a b:1":          "blank",
		"unix:":              "path is missing",
		"unix:@":             "path is missing",
		"unix:a\x00b":        "NUL",

		"tcp://2130706433:80": "only in full (127.0.0.1)",
		"udp://127.1:9":       "only in full (127.0.0.1)",
		"tls://0x7f.1:443":    "only in full (127.0.0.1)",
		"udp://<broadcast>:9": "not the name of a host",
		"tcp://:80":           "no host",
	} {
		if e, err := dial.Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %+v, %v, want an error with %q", in, e, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"tcp:localhost:9999", "tls://[::1]:443", "unix:////x", "udp::53", "unixgram:@x", "starttls:[fe80::1%1]:smtp"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := dial.Parse(s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error of %q has more than one line: %v", s, err)
			}
			return
		}
		again, err := dial.Parse(e.String())
		if err != nil || again != e {
			t.Fatalf("Parse(%q) = %+v, written %q, read again %+v, %v", s, e, e, again, err)
		}
	})
}
