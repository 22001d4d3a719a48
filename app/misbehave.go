package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/farend-go/farend/conv/faults"
)

// arm reads the rules by which to misbehave.
func (a *App) arm() error {
	var rules []faults.Rule
	running := a.cfg.wanted()
	for _, text := range a.cfg.Faults {
		r, err := faults.Parse(text)
		if err != nil {
			return &ConfigError{err}
		}
		at := slices.IndexFunc(running, func(s Service) bool { return s.Name == r.Service })
		if at < 0 {
			return badConfig("fault %q: %s is not among the services that run (%s)", text, r.Service, strings.Join(names(running), " "))
		}
		if err := running[at].canMisbehave(r); err != nil {
			return badConfig("fault %q: %w", text, err)
		}
		rules = append(rules, r)
	}
	if len(rules) > 0 {
		a.faults = faults.NewSet(rules, func(f faults.Fired) { a.notice(fmt.Sprintf("%v (%s)", f, nameOf(f.Remote))) })
	}
	return nil
}

// canMisbehave finds rules that would never do anything.
func (s Service) canMisbehave(r faults.Rule) error {
	verb, _, _ := strings.Cut(r.Verb, " ")
	switch {
	case r.Verb != "" && s.NoVerbs:
		return fmt.Errorf("%s has no verbs, so %s would never come; write the rule without it", s.Name, r.Verb)
	case r.Verb != "" && s.Verbs != nil && !slices.Contains(s.Verbs, verb):
		near := Nearest(verb, s.Verbs)
		if near != "" {
			return fmt.Errorf("%s has no verb %s; did you mean %s?", s.Name, verb, near)
		}
		return fmt.Errorf("%s has no verb %s; there are %s", s.Name, verb, strings.Join(s.Verbs, " "))
	case r.Reply != "" && !s.Replies:
		return fmt.Errorf("%s has no replies that could be others", s.Name)
	case s.Packets == nil && r.Datagrams():
		return fmt.Errorf("%s is not spoken in datagrams", s.Name)
	}
	return nil
}
