package app_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]app.Address{
		"localhost:7":      {Host: "localhost", Port: "7"},
		"127.0.0.1:0":      {Host: "127.0.0.1", Port: "0"},
		"[::1]:80":         {Host: "::1", Port: "80"},
		"[fe80::1%lo]:80":  {Host: "fe80::1%lo", Port: "80"},
		":50007":           {Port: "50007"},
		":echo":            {Port: "echo"},
		"tcp::0":           {Network: "tcp", Port: "0"},
		"udp:10.0.0.1:9":   {Network: "udp", Host: "10.0.0.1", Port: "9"},
		"tls:localhost:0":  {Network: "tcp", TLS: true, Host: "localhost", Port: "0"},
		"tls:[::1]:0":      {Network: "tcp", TLS: true, Host: "::1", Port: "0"},
		"unix:/run/x.sock": {Network: "unix", Path: "/run/x.sock"},
		"unix:a:b":         {Network: "unix", Path: "a:b"},
		"unixgram:@name":   {Network: "unixgram", Path: "@name"},
		"systemd:web":      {Inherited: "systemd:web"},
		"systemd:":         {Inherited: "systemd:"},
		"fd:3":             {Inherited: "fd:3"},
		"inetd:":           {Inherited: "inetd:"},
		"tls:systemd:web":  {Network: "tcp", TLS: true, Inherited: "systemd:web"},
	} {
		got, err := app.ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("%q is %+v (%v), want %+v", in, got, err, want)
		}
	}
	for in, word := range map[string]string{
		"":                 "port is missing",
		"50007":            "written :50007",
		"localhost":        "port is missing",
		"localhost:":       "port is missing",
		"::1:80":           "brackets",
		"[::1":             "bracket",
		"1.2.3.4:65536":    "0-65535",
		"1.2.3.4:-1":       "",
		"unix:":            "path is missing",
		"unixgram:@":       "path is missing",
		"unix:a\x00b":      "NUL",
		"tls:unix:/x":      "",
		"local host:80":    "blank",
		"http://x:80":      "",
		"tcp:/run/x.sock:": "",
		"fd:":              "number of a descriptor",
		"fd:-1":            "number of a descriptor",
		"inetd:x":          "comes nothing",
	} {
		got, err := app.ParseAddress(in)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is %+v, with the error %v; want one line with %q", in, got, err, word)
		}
	}
}

func TestParsePlace(t *testing.T) {
	got, err := app.ParseListen("echo=unix:/x=y")
	want := app.Place{Service: "echo", Address: app.Address{Network: "unix", Path: "/x=y"}, Starts: true}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, in := range []string{"", "echo", "=:0", "echo="} {
		if got, err := app.ParseListen(in); err == nil {
			t.Errorf("%q is %+v", in, got)
		}
	}
}

func FuzzParseListen(f *testing.F) {
	for _, s := range []string{"echo=:0", "echo=[::1]:80", "a=unix:/x", "b=tls:h:1", "c=unixgram:@n", "d=udp::echo", "=", "e=tcp:[::1%lo]:00080", "f=tls:fd:03", "g=systemd:a", "h=inetd:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := app.ParseListen(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%q: an error of several lines: %q", s, err)
			}
			return
		}
		again, err := app.ParseListen(p.Service + "=" + p.Address.String())
		if err != nil || again != p {
			t.Fatalf("%q is %+v, which as %q is %+v (%v)", s, p, p.Address, again, err)
		}
	})
}

func TestNearest(t *testing.T) {
	known := []string{"greet", "echo", "upper", "discard", "chargen", "daytime", "time"}
	for word, want := range map[string]string{
		"ecko": "echo", "eco": "echo", "ehco": "echo", "uper": "upper", "chargne": "chargen", "day": "daytime", "tim": "time",
		"greeting": "greet", "smtp": "", "": "", "x": "", "qqqq": "",
	} {
		if got := app.Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func isConfigError(err error) bool {
	var bad *app.ConfigError
	return errors.As(err, &bad)
}
