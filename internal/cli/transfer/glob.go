package transfer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Globbed is one URL of a pattern, and what stands in each of its places.
type Globbed struct {
	URL    string
	Places []string
}

// Fill puts the places into a name: #1 is the first.
func (g Globbed) Fill(name string) string {
	if !strings.Contains(name, "#") {
		return name
	}
	return placeMark().ReplaceAllStringFunc(name, func(mark string) string {
		n, err := strconv.Atoi(mark[1:])
		if err != nil || n < 1 || n > len(g.Places) {
			return mark
		}
		return g.Places[n-1]
	})
}

var placeMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`#[0-9]+`) })

// maxGlob is how many URLs one pattern may stand for.
const maxGlob = 1_000_000

// Glob expands [1-9], [01-10:2], [a-z] and {one,two} in a URL, the last place
// fastest, as curl does. A bracket that holds no range, such as that of an IPv6
// address, stands for itself.
func Glob(pattern string) ([]Globbed, error) {
	if strings.HasPrefix(strings.ToLower(pattern), "data:") || !strings.ContainsAny(pattern, "[{") {
		return []Globbed{{URL: pattern}}, nil
	}
	all := []Globbed{{}}
	for rest := pattern; rest != ""; {
		literal, choices, after, err := nextPlace(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		if choices == nil {
			for i := range all {
				all[i].URL += literal
			}
			continue
		}
		if len(all)*len(choices) > maxGlob {
			return nil, failuref(CodeUsage, "%s: more than %d URLs", pattern, maxGlob)
		}
		wider := make([]Globbed, 0, len(all)*len(choices))
		for _, g := range all {
			for _, choice := range choices {
				wider = append(wider, Globbed{g.URL + literal + choice, append(slices.Clip(g.Places), choice)})
			}
		}
		all = wider
	}
	return all, nil
}

// nextPlace gives what stands before the next place, and its choices; nil where
// there is none.
func nextPlace(s string) (literal string, choices []string, rest string, err error) {
	i := strings.IndexAny(s, "[{")
	if i < 0 {
		return s, nil, "", nil
	}
	end := strings.IndexByte(s[i:], map[byte]byte{'[': ']', '{': '}'}[s[i]])
	if end < 0 {
		return "", nil, "", failuref(CodeUsage, "%s: the bracket is not closed; -g takes it as it stands", s[i:])
	}
	inside, rest := s[i+1:i+end], s[i+end+1:]
	if s[i] == '{' {
		return s[:i], strings.Split(inside, ","), rest, nil
	}
	choices, err = rangeChoices(inside)
	if choices == nil && err == nil {
		return s[:i+end+1], nil, rest, nil
	}
	return s[:i], choices, rest, err
}

// rangeChoices expands A-B and A-B:STEP; nil where it is no range.
func rangeChoices(inside string) ([]string, error) {
	ends, stepText, stepped := strings.Cut(inside, ":")
	from, to, dash := strings.Cut(ends, "-")
	if !dash || from == "" || to == "" {
		return nil, nil
	}
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil {
			return nil, nil //nolint:nilerr // then it is no range
		}
	}
	a, b, width, letters := 0, 0, 0, false
	if len(from) == 1 && len(to) == 1 && isLetter(from[0]) && isLetter(to[0]) {
		a, b, letters = int(from[0]), int(to[0]), true
	} else {
		var err1, err2 error
		a, err1 = strconv.Atoi(from)
		b, err2 = strconv.Atoi(to)
		if err1 != nil || err2 != nil || a < 0 {
			return nil, nil //nolint:nilerr // then it is no range
		}
		if from[0] == '0' {
			width = len(from)
		}
	}
	if b < a || step < 1 || (b-a)/step >= maxGlob {
		return nil, failuref(CodeUsage, "[%s]: want [FROM-TO] or [FROM-TO:STEP] upwards, of at most %d", inside, maxGlob)
	}
	var choices []string
	for n := a; n <= b; n += step {
		if letters {
			choices = append(choices, string(rune(n)))
			continue
		}
		choices = append(choices, fmt.Sprintf("%0*d", width, n))
	}
	return choices, nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
