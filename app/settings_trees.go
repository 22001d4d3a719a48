package app

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/ftp"
)

// trees sets what is about the tree of files, and who may see it.
func (s Settings) trees(c *Config) error {
	var err error
	if c.Writable, err = s.Bool("writable"); err != nil {
		return err
	}
	if c.Users, err = s.users(); err != nil {
		return err
	}
	c.PassivePorts, err = s.passivePorts()
	return err
}

// users reads NAME:PASSWORD. No error has a password in it: a value without a
// colon may be one.
func (s Settings) users() (map[string]string, error) {
	set := s["user"]
	if len(set.Values) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, text := range set.Values {
		name, password, ok := strings.Cut(text, ":")
		if !ok {
			return nil, badConfig("%s: no colon in it: want NAME:PASSWORD", set.From)
		}
		if err := checkUser(name, password); err != nil {
			return nil, asBadConfig(set.From, err)
		}
		if _, twice := out[name]; twice {
			return nil, badConfig("%s: user %q is there twice", set.From, name)
		}
		out[name] = password
	}
	return out, nil
}

// addUsers takes the users of a file.
func (s Settings) addUsers(value any, from string) error {
	var values []string
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return badConfig(`%s: want texts in quotes, as in ["NAME:PASSWORD"]`, from)
		}
		values = append(values, text)
	}
	s["user"] = Setting{Values: values, From: from}
	return nil
}

// passivePorts reads A-B, or one port.
func (s Settings) passivePorts() (r ftp.PortRange, err error) {
	text := s.Text("passive-ports")
	if text == "" {
		return r, nil
	}
	first, last, ok := strings.Cut(text, "-")
	if !ok {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	b, berr := strconv.ParseUint(last, 10, 16)
	if err != nil || berr != nil || a == 0 || a > b {
		return r, badConfig("%s: %q is no range of ports, as in 2122-2131", s["passive-ports"].From, text)
	}
	return ftp.PortRange{First: uint16(a), Last: uint16(b)}, nil
}
