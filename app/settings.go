package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Settings are what somebody wants, by key: in a flag, in the environment, in
// a file. The keys are the names of the flags of farend serve, "services", and
// SERVICE.listen.
type Settings map[string]Setting

// A Setting is a value and where it stands, for errors.
type Setting struct {
	Values []string
	From   string
	Starts bool // a SERVICE.listen that starts its service, whatever else does

	environ bool // it comes from the environment
}

// settingKeys are the keys, and how an environment variable is split into
// values.
func settingKeys() map[string]string {
	return map[string]string{
		"services": " ,\t", "engine": "", "drain": "", "explain": "", "transcript": "", "fault": ";",
		"root": "", "writable": "", "data": "", "group": " ,\t", "user": " \t\r\n", "passive-ports": "", "telnet-exec": "",
		"cert": "", "key": "", "ca-out": "", "ready-file": "",
		"proxy-from": " ,\t", "proxy-required": "", "proxy-timeout": "", "spin": "", "loops": "",
		"handover": "", "handover-timeout": "", "handover-grace": "",
		"quiet": "", "verbose": "", "json": "",
	}
}

// notOfKind says what is wanted instead of a value that is no text.
func notOfKind(key, from string, value any) error {
	switch key {
	case "drain", "proxy-timeout", "spin", "handover-timeout", "handover-grace":
		return badConfig("%s: a time with its unit is wanted, in quotes, as in %q", from, fmt.Sprint(value, "s"))
	case "explain", "writable", "proxy-required", "handover", "quiet", "json":
		return badConfig("%s: want true or false", from)
	}
	return badConfig("%s: a text in quotes is wanted, as in %q", from, fmt.Sprint(value))
}

// Over gives the settings of s, and those of below that s does not have.
func (s Settings) Over(below Settings) Settings {
	out := Settings{}
	maps.Copy(out, below)
	maps.Copy(out, s)
	return out
}

// FromEnviron reads FAREND_ENGINE, FAREND_ECHO_LISTEN and so on out of environ
// (in the form of os.Environ). Of variables that begin so and mean nothing,
// ignored says in a line each what may have been meant; but for FAREND_CONFIG,
// which is the caller's, and FAREND_CA_FILE, which farend run sets.
func FromEnviron(environ []string) (s Settings, ignored []string) {
	s = Settings{}
	services, keys := names(Catalogue()), settingKeys()
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		word, ok := strings.CutPrefix(name, "FAREND_")
		if !ok || value == "" || name == "FAREND_CONFIG" || name == "FAREND_CA_FILE" {
			continue
		}
		key := strings.ReplaceAll(strings.ToLower(word), "_", "-")
		service, listens := strings.CutSuffix(key, "-listen")
		by, isKey := keys[key]
		switch {
		case listens && slices.Contains(services, service):
			s[service+".listen"] = Setting{Values: split(value, " ,\t"), From: name, environ: true}
		case isKey:
			s[key] = Setting{Values: split(value, by), From: name, environ: true}
		case key == "listen":
			ignored = append(ignored, name+" is ignored: the service is in the name, as FAREND_ECHO_LISTEN")
		case listens:
			ignored = append(ignored, name+" is ignored: no such service"+meant(service, services, "-listen"))
		default:
			ignored = append(ignored, name+" is ignored: no such setting"+meant(key, slices.Collect(maps.Keys(keys)), ""))
		}
	}
	return s, ignored
}

// meant is the variable that may have been meant, if any is near.
func meant(word string, known []string, suffix string) string {
	slices.Sort(known)
	near := Nearest(word, known)
	if near == "" {
		return ""
	}
	return "; did you mean FAREND_" + strings.ToUpper(strings.ReplaceAll(near+suffix, "-", "_")) + "?"
}

func split(value, by string) []string {
	if by == "" {
		return []string{value}
	}
	var out []string
	for _, v := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(by, r) }) {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// FromFile reads a TOML file: the keys of the flags at the top, and a table
// for each service with its listen. The error is a *ConfigError.
//
//	services = ["echo", "upper"]
//	drain = "2s"
//	[echo]
//	listen = ["127.0.0.1:7007", "unix:/run/echo"]
func FromFile(path string) (Settings, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
		return nil, badConfig("reading %s: %w", path, err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(b, &tree); err != nil {
		return nil, badConfig("reading %s: %w", path, err)
	}
	s := Settings{}
	if err := s.addFile(path, tree); err != nil {
		return nil, err
	}
	return s, nil
}

func (s Settings) addFile(path string, tree map[string]any) error {
	services := names(Catalogue())
	known := slices.Clone(services)
	for k := range settingKeys() {
		known = append(known, k)
	}
	slices.Sort(known)
	for k, v := range tree {
		from := path + ": " + k
		table, isTable := v.(map[string]any)
		isService := slices.Contains(services, k)
		switch {
		case !slices.Contains(known, k):
			return unknownKey(path, k, known)
		case isService && !isTable:
			return badConfig("%s is a service: its keys stand below [%s]", from, k)
		case !isService && isTable:
			return badConfig("%s is no service: write %s = ...", from, k)
		case isService:
			for inner, v := range table {
				if inner != "listen" {
					return unknownKey(path, k+"."+inner, []string{k + ".listen"})
				}
				if err := s.add(k+".listen", v, from+".listen"); err != nil {
					return err
				}
			}
		default:
			if err := s.add(k, v, from); err != nil {
				return err
			}
		}
	}
	return nil
}

func unknownKey(path, key string, known []string) error {
	if near := Nearest(key, known); near != "" {
		return badConfig("%s: %s: no such key; did you mean %s?", path, key, near)
	}
	return badConfig("%s: %s: no such key; there are %s", path, key, strings.Join(known, " "))
}

// add takes a value of a file.
func (s Settings) add(key string, value any, from string) error {
	if key == "user" {
		return s.addUsers(value, from)
	}
	var values []string
	switch v := value.(type) {
	case string:
		values = []string{v}
	case bool:
		values = []string{strconv.FormatBool(v)}
	case int64:
		if key != "loops" && key != "verbose" {
			return notOfKind(key, from, v)
		}
		values = []string{strconv.FormatInt(v, 10)}
	case []any:
		for _, one := range v {
			text, ok := one.(string)
			if !ok {
				return badConfig("%s: a list of texts is wanted", from)
			}
			values = append(values, text)
		}
	default:
		return notOfKind(key, from, value)
	}
	s[key] = Setting{Values: values, From: from}
	return nil
}

// Text is the value of a key that has one; "" where it has none.
func (s Settings) Text(key string) string {
	if v := s[key].Values; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// Bool is the value of a key that is true or false.
func (s Settings) Bool(key string) (bool, error) {
	text := s.Text(key)
	if text == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, badConfig("%s: %q is neither true nor false", s[key].From, text)
	}
	return b, nil
}

// Count is the value of a key that is a number from 0; 0 where it has none. The
// error is a *ConfigError.
func (s Settings) Count(key string) (int, error) {
	text := s.Text(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return 0, badConfig("%s: %q is no number, as in 2", s[key].From, text)
	}
	return int(n), nil
}

// Duration is the value of a key that is one; otherwise where it has none. The
// error is a *ConfigError.
func (s Settings) Duration(key string, otherwise time.Duration) (time.Duration, error) {
	text := s.Text(key)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, badConfig("%s: %q is no duration, as in 500ms, 10s, 2m", s[key].From, text)
	}
	return d, nil
}

// Config makes a Config of s. The error is a *ConfigError.
func (s Settings) Config() (Config, error) {
	c := Config{
		Services: s["services"].Values, Engine: s.Text("engine"), Transcript: s.Text("transcript"), Faults: s["fault"].Values,
		Cert: s.Text("cert"), Key: s.Text("key"), CAOut: s.Text("ca-out"), Root: s.Text("root"), Data: s.Text("data"), Groups: s["group"].Values,
	}
	c.TelnetExec = s.Text("telnet-exec")
	var err error
	if c.Drain, err = s.Duration("drain", 0); err != nil {
		return c, err
	}
	if c.Drain == 0 && s.Text("drain") != "" {
		c.Drain = -1
	}
	if c.Events, err = s.events(); err != nil {
		return c, err
	}
	if c.Proxy, err = s.proxy(); err != nil {
		return c, err
	}
	if err = s.trees(&c); err != nil {
		return c, err
	}
	for _, service := range names(Catalogue()) {
		set := s[service+".listen"]
		starts := set.Starts || s.listenStarts(set)
		for _, text := range set.Values {
			a, err := ParseAddress(text)
			if err != nil {
				return c, asBadConfig(set.From, err)
			}
			c.Listen = append(c.Listen, Place{service, a, starts})
		}
	}
	if err := c.check(); err != nil {
		return c, err
	}
	return c, nil
}

// listenStarts tells whether a listen of the environment, or of a file, starts
// its service, as --listen does. Where nothing names what starts, those of the
// environment do, and where there are none of these either, those of the file.
func (s Settings) listenStarts(set Setting) bool {
	environ := false
	for key, other := range s {
		if key == "services" && len(other.Values) > 0 || other.Starts {
			return false
		}
		environ = environ || other.environ && strings.HasSuffix(key, ".listen")
	}
	return set.environ || !environ
}

// AddListen adds what the flag --listen said.
func (s Settings) AddListen(values []string) error {
	known := names(Catalogue())
	for _, text := range values {
		l, err := ParseListen(text)
		if err != nil {
			return asBadConfig("--listen", err)
		}
		if !slices.Contains(known, l.Service) {
			return asBadConfig("--listen", noSuchService(l.Service, known))
		}
		key := l.Service + ".listen"
		set := s[key]
		s[key] = Setting{Values: append(set.Values, l.Address.String()), From: "--listen " + l.Service, Starts: true}
	}
	return nil
}
