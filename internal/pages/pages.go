// Package pages reads pages in Markdown for the tests that hold what is shown
// on them to what is true: the heir of Python's doctest.
package pages

import (
	"iter"
	"regexp"
	"strings"
)

// parts gives what stands outside and inside of fences, in turns: the text
// before the first, what it fences with the name of its language in front, the
// text behind.
func parts(page string) iter.Seq2[bool, string] {
	return func(yield func(fenced bool, part string) bool) {
		for i, part := range strings.Split("\n"+page, "\n```") {
			if !yield(i%2 == 1, part) {
				return
			}
		}
	}
}

// Blocks gives what a page has between fences of a language, in order, each
// with its last line's end.
func Blocks(page, language string) []string {
	var blocks []string
	for fenced, part := range parts(page) {
		if name, block, ok := strings.Cut(part, "\n"); ok && fenced && name == language {
			blocks = append(blocks, block+"\n")
		}
	}
	return blocks
}

// Prose is a page without what stands between fences.
func Prose(page string) string {
	var b strings.Builder
	for fenced, part := range parts(page) {
		if !fenced {
			b.WriteString(part)
		}
	}
	return b.String()
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// Links gives the files to which a page leads, as its links name them; what
// leads elsewhere, or to another place on the page, is left out.
func Links(page string) []string {
	var links []string
	for _, m := range link.FindAllStringSubmatch(Prose(page), -1) {
		links = append(links, m[1])
	}
	return links
}
