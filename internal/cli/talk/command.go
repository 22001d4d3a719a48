package talk

import (
	"context"
	"fmt"
	"strings"
)

// command is a line that begins with a colon.
type command struct {
	name, arguments, does string
	do                    func(s *conversation, ctx context.Context, argument string) error
}

// commands is all of them.
func commands() []command {
	return []command{
		{"starttls", "[NAME]", "step up to TLS; NAME is what the certificate must be good for", (*conversation).startTLS},
		{"hex", "on|off", "show what is said in hexadecimal", toggle(func(s *conversation) *bool { return &s.Hex })},
		{"crlf", "on|off", "end lines with CR LF, or with LF", toggle(func(s *conversation) *bool { return &s.CRLF })},
		{"save", "FILE", "write the conversation, from its beginning on, to a new file", (*conversation).save},
		{"close", "", "say no more (Ctrl-D); the peer still may", func(s *conversation, _ context.Context, _ string) error { return s.end() }},
		{"quit", "", "leave", func(*conversation, context.Context, string) error { return errQuit }},
		{"help", "", "this", func(s *conversation, _ context.Context, _ string) error { s.help(); return nil }},
	}
}

// command runs line, which has lost its colon.
func (s *conversation) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	argument = strings.TrimSpace(argument)
	c, ok := find(name)
	switch {
	case !ok:
		s.Terminal.Say(fmt.Sprintf(":%s: no such command; :help lists them, :: sends a colon", name))
		return nil
	case c.arguments == "" && argument != "":
		s.Terminal.Say(fmt.Sprintf(":%s takes nothing more", c.name))
		return nil
	}
	return c.do(s, ctx, argument)
}

// find takes a beginning for the whole where only one command has it.
func find(name string) (command, bool) {
	var found []command
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
		if name != "" && strings.HasPrefix(c.name, name) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return command{}, false
	}
	return found[0], true
}

// complete finishes a command that Tab was pressed in.
func complete(line string) (string, bool) {
	name, colon := strings.CutPrefix(line, ":")
	if !colon || name == "" || strings.Contains(name, " ") {
		return line, false
	}
	c, ok := find(name)
	if !ok {
		return line, false
	}
	whole := ":" + c.name
	if c.arguments != "" {
		whole += " "
	}
	return whole, true
}

func (s *conversation) help() {
	var b strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&b, ":%-17s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.does)
	}
	b.WriteString("::...              send a line that begins with a colon")
	s.Terminal.Say(b.String())
}

// toggle is a command that turns a setting on or off, or tells it.
func toggle(setting func(s *conversation) *bool) func(*conversation, context.Context, string) error {
	states := map[bool]string{true: "on", false: "off"}
	return func(s *conversation, _ context.Context, argument string) error {
		value := setting(s)
		switch argument {
		case "on", "off":
			*value = argument == "on"
			s.prompt()
		case "":
			s.Terminal.Say("it is " + states[*value])
		default:
			s.Terminal.Say("on or off?")
		}
		return nil
	}
}

func (s *conversation) save(_ context.Context, name string) error {
	if name == "" {
		s.Terminal.Say(":save takes the name of a new file")
		return nil
	}
	if err := s.record.save(name); err != nil {
		s.Terminal.Say("save: " + plainPath(err))
		return nil
	}
	s.Terminal.Say("saving to " + name)
	return nil
}

func plainPath(err error) string { return strings.TrimPrefix(err.Error(), "open ") }
