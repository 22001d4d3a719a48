package faults

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// key is one key of a rule: how it is read and written.
type key struct {
	name string
	does string // what it means, for help
	want string // what its value looks like, for errors and help
	set  func(r *Rule, v string) bool
	get  func(r *Rule) string
}

// keys of a rule in the order in which String writes them.
var keys = []key{
	{"after", "it happens when so many bytes have passed", "a size: 5, 64KiB, 1MiB", func(r *Rule, v string) (ok bool) { r.After, ok = parseSize(v); return ok },
		func(r *Rule) string { return positive(r.After, formatSize(r.After)) }},
	{"dir", "the direction that counts and is acted on", "in, out or both", func(r *Rule, v string) bool { return setDir(r, v) }, writtenDir},
	{"do", "what happens", "one of the words below", func(r *Rule, v string) bool { r.Do = Deed(v); return knownDeed(r.Do) != nil },
		func(r *Rule) string { return string(r.Do) }},
	{"n", "only this time that it would be armed", "a number from 1", func(r *Rule, v string) bool { return setCount(&r.N, v) },
		func(r *Rule) string { return positive(r.N, strconv.Itoa(r.N)) }},
	{"times", "it happens so often and no more", "a number from 1", func(r *Rule, v string) bool { return setCount(&r.Times, v) },
		func(r *Rule) string { return positive(r.Times, strconv.Itoa(r.Times)) }},
	{"p", "the chance that it is armed", "a chance above 0 and up to 1: 0.3", func(r *Rule, v string) bool { return setChance(&r.P, v) },
		func(r *Rule) string { return positive(r.P, strconv.FormatFloat(r.P, 'g', -1, 64)) }},
	{"seed", "the same one does the same again", "a number", func(r *Rule, v string) bool { return setSeed(&r.Seed, v) },
		func(r *Rule) string { return positive(r.Seed, strconv.FormatUint(r.Seed, 10)) }},
	{"delay", "how late, or how long", "a duration: 500ms, 10s", func(r *Rule, v string) bool { return setDuration(&r.Delay, v) },
		func(r *Rule) string { return positive(r.Delay, r.Delay.String()) }},
	{"jitter", "give or take so much", "a duration: 50ms", func(r *Rule, v string) bool { return setDuration(&r.Jitter, v) },
		func(r *Rule) string { return positive(r.Jitter, r.Jitter.String()) }},
	{"rate", "bytes a second", "as 10KiB", func(r *Rule, v string) bool { return setSize(&r.Rate, strings.TrimSuffix(v, "/s")) },
		func(r *Rule) string { return positive(r.Rate, formatSize(r.Rate)) }},
	{"size", "of the pieces", "a size from 1: 16", func(r *Rule, v string) bool { return setSize(&r.Size, v) },
		func(r *Rule) string { return positive(r.Size, formatSize(r.Size)) }},
	{"reply", "said instead of our own", "an answer, quoted where it has blanks", func(r *Rule, v string) bool { r.Reply = v; return v != "" },
		func(r *Rule) string { return positive(r.Reply, quote(r.Reply)) }},
}

// A Help is a word of the grammar and what it means.
type Help struct{ Word, Text string }

// deed is one deed, the keys that only some deeds have, and the one it needs.
type deed struct {
	name   Deed
	own    []string
	needs  string
	packet bool // of datagrams
	stream bool // of streams
	out    bool // acts on output where neither dir= nor a verb says more
	text   string
}

var deeds = []deed{
	{Slice, []string{"size"}, "", false, true, false, "what passes from there goes in pieces of size= bytes (1)"},
	{Delay, []string{"delay", "jitter"}, "delay", true, true, true, "what passes from there is late by delay=, give or take jitter="},
	{Throttle, []string{"rate"}, "rate", false, true, false, "no more than rate= bytes a second pass from there"},
	{Garble, nil, "", true, true, true, "one bit of the next byte is wrong"},
	{Stall, []string{"delay"}, "", false, true, false, "nothing passes any more; with delay=, not for so long"},
	{Truncate, nil, "", false, true, false, "the stream ends there in good order, and the sender is not told"},
	{HalfClose, nil, "", false, true, false, "our half of the stream ends (FIN); reading goes on"},
	{Cut, nil, "", false, true, false, "both halves end: each side reads the end of the stream"},
	{Close, nil, "", false, true, false, "our side closes the connection (FIN)"},
	{Reset, nil, "", false, true, false, "the connection is reset (RST)"},
	{Lose, nil, "", true, false, true, "the datagram is lost"},
	{Duplicate, nil, "", true, false, true, "the datagram arrives twice"},
	{Reorder, []string{"delay"}, "", true, false, true, "it arrives behind the next one, or after delay= (50ms)"},
}

// Deeds lists what do= knows, for help.
func Deeds() []Help {
	var out []Help
	for _, d := range deeds {
		out = append(out, Help{string(d.name), d.text})
	}
	return out
}

// Keys lists the keys of a rule, what they mean and what their values look
// like, for help.
func Keys() []Help {
	var out []Help
	for _, k := range keys {
		out = append(out, Help{k.name, k.does + " (" + k.want + ")"})
	}
	return out
}

func knownDeed(name Deed) *deed {
	for i := range deeds {
		if deeds[i].name == name {
			return &deeds[i]
		}
	}
	return nil
}

// Parse reads a rule: SERVICE [VERB...] [KEY=VALUE...]. A value with blanks is
// quoted as a Go string is. Services and keys are in lower case, verbs in any.
// The error is one line and says what was wanted.
func Parse(rule string) (Rule, error) {
	r, err := parse(rule)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return Rule{}, fmt.Errorf("fault %q: %w", rule, err)
	}
	return r, nil
}

func parse(rule string) (Rule, error) {
	var r Rule
	rest := strings.TrimSpace(rule)
	if rest == "" {
		return r, errors.New("it is empty (write: echo after=5 do=close)")
	}
	var verb []string
	seen := map[string]bool{}
	for first := true; rest != ""; first = false {
		end := strings.IndexAny(rest, " \t=")
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		isKey := end < len(rest) && rest[end] == '='
		rest = rest[end:]
		switch {
		case first && isKey:
			return r, errors.New("it begins with the name of a service (echo after=5 do=close)")
		case first:
			r.Service = strings.ToLower(word)
		case !isKey && len(seen) > 0:
			return r, fmt.Errorf("%q is no KEY=VALUE; a verb stands before the keys, a value with blanks in quotes", word)
		case !isKey:
			verb = append(verb, strings.ToUpper(word))
		default:
			var err error
			if rest, err = r.key(word, rest[1:], seen); err != nil {
				return r, err
			}
		}
		rest = strings.TrimLeft(rest, " \t")
	}
	r.Verb = strings.Join(verb, " ")
	if !seen["dir"] {
		r.Dir = r.usualDir()
	}
	for _, word := range append(verb, r.Service) {
		if !isName(word) {
			return r, fmt.Errorf("%q is no name of a service or verb", word)
		}
	}
	return r, nil
}

// key sets the key that word names and gives what follows its value.
func (r *Rule) key(word, rest string, seen map[string]bool) (string, error) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == word })
	if i < 0 {
		return "", fmt.Errorf("no key %q%s", word, choice(word, names(Keys())))
	}
	value, rest, err := cutValue(rest)
	if err != nil {
		return "", fmt.Errorf("%s=: %w", word, err)
	}
	if seen[word] {
		return "", fmt.Errorf("%s= is there twice", word)
	}
	seen[word] = true
	if keys[i].set(r, value) {
		return rest, nil
	}
	if word == "do" {
		return "", fmt.Errorf("no deed %q%s", value, choice(value, names(Deeds())))
	}
	return "", fmt.Errorf("%s=%q: want %s", word, value, keys[i].want)
}

// cutValue takes a value, quoted or up to the next blank, from the front.
func cutValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], nil
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", errors.New("the quotes do not close")
	}
	if value, err = strconv.Unquote(quoted); err != nil {
		return "", "", errors.New("the quotes do not close")
	}
	rest = s[len(quoted):]
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", "", errors.New("after the closing quote comes a blank")
	}
	return value, rest, nil
}

// check looks at what belongs together.
func (r *Rule) check() error {
	switch {
	case r.Reply != "" && r.Do != "":
		return errors.New("do= and reply= exclude each other; write two rules")
	case r.Reply != "" && r.Verb == "":
		return errors.New("reply= needs the verb to which it is the answer")
	case r.Reply != "" && (r.After > 0 || r.Dir != Both):
		return errors.New("reply= answers at once; after= and dir= have no meaning")
	case r.Reply == "" && r.Do == "":
		return errors.New("it does nothing: do=" + strings.Join(names(Deeds()), "|") + " or reply= is missing")
	}
	d := knownDeed(r.Do)
	own := []string{}
	if d != nil {
		own = d.own
	}
	for _, name := range []string{"delay", "jitter", "rate", "size"} {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		given := keys[i].get(r) != ""
		if given && !slices.Contains(own, name) {
			return fmt.Errorf("%s= has no meaning there (%s)", name, belongs(name))
		}
		if !given && d != nil && d.needs == name {
			return fmt.Errorf("do=%s needs %s=, %s", r.Do, name, keys[i].want)
		}
	}
	if d != nil && d.packet && !d.stream && (r.Verb != "" || r.After > 0) {
		return fmt.Errorf("do=%s is for datagrams, which have no verb and no after=", r.Do)
	}
	return nil
}

// belongs says which deeds have a key.
func belongs(key string) string {
	var with []string
	for _, d := range deeds {
		if slices.Contains(d.own, key) {
			with = append(with, "do="+string(d.name))
		}
	}
	return "it belongs to " + strings.Join(with, ", ")
}

// choice ends an error about a word that is not known.
func choice(written string, words []string) string {
	if like := nearest(written, words); like != "" {
		return fmt.Sprintf(", did you mean %q?", like)
	}
	return " (there are " + strings.Join(words, ", ") + ")"
}

func names(help []Help) []string {
	var out []string
	for _, h := range help {
		out = append(out, h.Word)
	}
	return out
}

// isName tells whether a service or verb may be written without doubt.
func isName(word string) bool {
	if word == "" {
		return false
	}
	for i := range len(word) {
		if c := word[i]; !isWord(c) && c != '-' && c != '_' && c != '.' && c != ':' && c != '/' && c != '*' && c != '+' {
			return false
		}
	}
	return true
}

// quote quotes what would not be read back as it is.
func quote(v string) string {
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c == '"' || c >= 0x7f {
			return strconv.Quote(v)
		}
	}
	return v
}

// Datagrams tells whether the rule is for datagrams alone.
func (r Rule) Datagrams() bool {
	d := knownDeed(r.Do)
	return d != nil && !d.stream
}

// usualDir is the direction of a rule that is written without dir=: what
// changes each datagram, or makes it late, would do so to a question and to its
// answer. A verb's data goes one way, which it finds by itself.
func (r *Rule) usualDir() Dir {
	if d := knownDeed(r.Do); d != nil && d.out && r.Verb == "" {
		return Out
	}
	return Both
}

func writtenDir(r *Rule) string {
	if r.Dir == r.usualDir() {
		return ""
	}
	return r.Dir.String()
}

func setDir(r *Rule, v string) bool {
	switch v {
	case "in":
		r.Dir = In
	case "out":
		r.Dir = Out
	case "both":
		r.Dir = Both
	default:
		return false
	}
	return true
}

func setCount(to *int, v string) bool {
	n, err := strconv.ParseUint(v, 10, 31)
	*to = int(n)
	return err == nil && n > 0 && v[0] != '+'
}

func setSeed(to *uint64, v string) bool {
	n, err := strconv.ParseUint(v, 10, 64)
	*to = n
	return err == nil && v[0] != '+'
}

func setChance(to *float64, v string) bool {
	p, err := strconv.ParseFloat(v, 64)
	*to = p
	return err == nil && !math.IsNaN(p) && p > 0 && p <= 1
}

func setDuration(to *time.Duration, v string) bool {
	d, err := time.ParseDuration(v)
	*to = d
	return err == nil && d > 0
}

func setSize(to *int64, v string) bool {
	n, ok := parseSize(v)
	*to = n
	return ok && n > 0
}
