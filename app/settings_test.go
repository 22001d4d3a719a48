package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/app"
)

func settingsFile(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "farend.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsFile(t *testing.T) {
	s, err := app.FromFile(settingsFile(t, `
services = ["echo", "upper"]
engine = "goroutines"
drain = "250ms"
explain = true
fault = ["echo after=5 do=close"]
[echo]
listen = ["127.0.0.1:7007", "unix:/run/echo"]
[upper]
listen = ":9998"
`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	explain, err := s.Bool("explain")
	if !explain || err != nil || c.Drain != 250*time.Millisecond || c.Engine != "goroutines" || len(c.Services) != 2 || len(c.Faults) != 1 {
		t.Errorf("%v %v %+v", explain, err, c)
	}
	var places []string
	for _, p := range c.Listen {
		if p.Starts {
			t.Errorf("%s is started by the file's listen", p.Service)
		}
		places = append(places, p.Service+"="+p.Address.String())
	}
	if got := strings.Join(places, " "); got != "echo=127.0.0.1:7007 echo=unix:/run/echo upper=:9998" {
		t.Error(got)
	}
}

func TestSettingsFileRefused(t *testing.T) {
	for text, word := range map[string]string{
		`drian = "2s"`:             "did you mean drain?",
		`ca_out = "x"`:             "did you mean ca-out?",
		`drain = 2`:                `in quotes, as in "2s"`,
		`drain = 2.5`:              `in quotes, as in "2.5s"`,
		`writable = 1`:             "want true or false",
		`drain = "2"`:              "no duration",
		`drain = "-2s"`:            "no duration",
		`services = [1]`:           "list of texts",
		`echo = ":0"`:              "below [echo]",
		"[ehco]\nlisten = ':0'":    "did you mean echo?",
		"[echo]\nlissten = ':0'":   "did you mean echo.listen?",
		"[echo]\nlisten = '::1:0'": "brackets",
		"[drain]\nx = 1":           "no service",
		`services = ["ecko"]`:      "did you mean echo?",
		`engine = "threads"`:       "no such engine",
		`cert = "x"`:               "together",
		`explain = "perhaps"`:      "neither true nor false",
		`proxy-from = "10/8"`:      "no network, as in 10.0.0.0/8",
		`proxy-from = ["unix,"]
proxy-required = 7`: "want true or false",
		`proxy-required = true`: "--proxy-from names",
		`proxy-timeout = "1s"`:  "--proxy-from names",
		`proxy-timeout = "1"`:   "no duration",
		`spin = "fast"`:         "no duration",
		`loops = 0`:             "no number of loops",
		`loops = 5000`:          "want 1 to",
		`loops = "two"`:         "no number of loops",
		"x = ":                  "reading",
	} {
		s, err := app.FromFile(settingsFile(t, text))
		if err == nil {
			if _, err = s.Config(); err == nil {
				_, err = s.Bool("explain")
			}
		}
		if !isConfigError(err) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", text, err, word)
		}
	}
	if _, err := app.FromFile(filepath.Join(t.TempDir(), "none")); !isConfigError(err) {
		t.Errorf("no file: %v", err)
	}
}

func TestSettingsEnviron(t *testing.T) {
	s, ignored := app.FromEnviron([]string{
		"PATH=/bin", "FAREND_CA_FILE=/x", "FAREND_ENGINE=goroutines", "FAREND_SERVICES=echo, upper", "FAREND_DRAIN=1s", "FAREND_CA_OUT=ca.pem",
		"FAREND_ECHO_LISTEN=:0 unix:/e", "FAREND_WHIST_LISTEN=:25", "FAREND_ECO_LISTEN=:0", "FAREND_DRIAN=2s", "FAREND_LISTEN=:0", "FAREND_CONFIG=x", "FAREND_X=1", "FAREND_FAULT=echo after=5 do=close; upper do=reset", "FAREND_EXPLAIN=",
	})
	c, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"FAREND_WHIST_LISTEN is ignored: no such service",
		"FAREND_ECO_LISTEN is ignored: no such service; did you mean FAREND_ECHO_LISTEN?",
		"FAREND_DRIAN is ignored: no such setting; did you mean FAREND_DRAIN?",
		"FAREND_LISTEN is ignored: the service is in the name, as FAREND_ECHO_LISTEN",
		"FAREND_X is ignored: no such setting",
	}
	if !slices.Equal(ignored, want) {
		t.Errorf("ignored: %q", ignored)
	}
	if c.Engine != "goroutines" || len(c.Services) != 2 || c.Drain != time.Second || c.CAOut != "ca.pem" || len(c.Listen) != 2 || c.Listen[0].Starts {
		t.Errorf("%+v", c)
	}
	if len(c.Faults) != 2 || c.Faults[1] != "upper do=reset" {
		t.Errorf("%q", c.Faults)
	}
}

func TestSettingsPrecedence(t *testing.T) {
	flag := app.Settings{"drain": {Values: []string{"1s"}}}
	if err := flag.AddListen([]string{"echo=:1", "echo=:2"}); err != nil {
		t.Fatal(err)
	}
	env := app.Settings{"drain": {Values: []string{"2s"}}, "engine": {Values: []string{"events"}}, "echo.listen": {Values: []string{":3"}}}
	file := app.Settings{"drain": {Values: []string{"3s"}}, "engine": {Values: []string{"goroutines"}}, "cert": {Values: []string{"c"}}, "key": {Values: []string{"k"}}}
	c, err := flag.Over(env).Over(file).Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.Drain != time.Second || c.Engine != "events" || c.Cert != "c" || len(c.Listen) != 2 || c.Listen[1].Address.Port != "2" || !c.Listen[0].Starts {
		t.Errorf("%+v", c)
	}
}

// A listen of the environment starts its service unless somebody says what
// starts; one of the file does where the environment has none either.
func TestWhichListenStarts(t *testing.T) {
	file := "[upper]\nlisten = ':0'\n"
	for _, c := range []struct {
		flags   []string
		environ []string
		file    string
		want    string
	}{
		{nil, []string{"FAREND_ECHO_LISTEN=:0"}, "", "echo"},
		{nil, nil, file, "upper"},
		{nil, []string{"FAREND_ECHO_LISTEN=:0"}, file, "echo"},
		{nil, []string{"FAREND_ECHO_LISTEN=:0", "FAREND_SERVICES=time"}, file, ""},
		{nil, []string{"FAREND_ECHO_LISTEN=:0"}, "services = ['time']", ""},
		{[]string{"greet=:0"}, []string{"FAREND_ECHO_LISTEN=:0"}, file, "greet"},
	} {
		flags := app.Settings{}
		if err := flags.AddListen(c.flags); err != nil {
			t.Fatal(err)
		}
		environ, _ := app.FromEnviron(c.environ)
		below, err := app.FromFile(settingsFile(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := flags.Over(environ).Over(below).Config()
		if err != nil {
			t.Fatal(err)
		}
		var starts []string
		for _, p := range cfg.Listen {
			if p.Starts {
				starts = append(starts, p.Service)
			}
		}
		if got := strings.Join(starts, " "); got != c.want {
			t.Errorf("%q over %q over %q starts %q, want %q", c.flags, c.environ, c.file, got, c.want)
		}
	}
}

func TestSettingsOfTheField(t *testing.T) {
	file, err := app.FromFile(settingsFile(t, `
proxy-from = ["10.0.0.0/8, ::1", "unix"]
proxy-required = true
proxy-timeout = "2s"
loops = 3
handover = true
[echo]
listen = ["systemd:web", "fd:4"]
`))
	if err != nil {
		t.Fatal(err)
	}
	environ, _ := app.FromEnviron([]string{"FAREND_SPIN=50us", "FAREND_LOOPS=2", "FAREND_HANDOVER_TIMEOUT=3s", "FAREND_UPPER_LISTEN=systemd:a tls:fd:3"})
	s := environ.Over(file)
	c, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	p := c.Proxy
	if p == nil || len(p.Trusted) != 2 || p.Trusted[0].String() != "10.0.0.0/8" || p.Trusted[1].String() != "::1/128" || !p.TrustUnix || !p.Required || p.Timeout != 2*time.Second {
		t.Errorf("%+v", p)
	}
	if c.Events.Loops != 2 || c.Events.Spin != 50*time.Microsecond {
		t.Errorf("%+v", c.Events)
	}
	var places []string
	for _, l := range c.Listen {
		places = append(places, l.Service+"="+l.Address.String())
	}
	if got := strings.Join(places, " "); got != "echo=systemd:web echo=fd:4 upper=systemd:a upper=tls:fd:3" {
		t.Error(got)
	}
	wanted, err := s.Bool("handover")
	timeout, terr := s.Duration("handover-timeout", time.Second)
	grace, gerr := s.Duration("handover-grace", time.Second)
	if !wanted || timeout != 3*time.Second || grace != time.Second || err != nil || terr != nil || gerr != nil {
		t.Errorf("%v, %v, %v", wanted, timeout, grace)
	}
}
