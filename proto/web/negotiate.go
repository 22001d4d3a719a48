package web

import (
	"iter"
	"net/http"
	"strings"
)

// qualities reads a field of values with weights (RFC 9110 section 12.4.2), in
// thousandths; parameters other than q are left out.
func qualities(s string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for element := range strings.SplitSeq(s, ",") {
			value, params, _ := strings.Cut(element, ";")
			if value = strings.ToLower(strings.Trim(value, " \t")); value == "" {
				continue
			}
			q := 1000
			for param := range strings.SplitSeq(params, ";") {
				if name, weight, ok := strings.Cut(strings.Trim(param, " \t"), "="); ok && strings.EqualFold(name, "q") {
					q = thousandths(weight)
				}
			}
			if !yield(value, q) {
				return
			}
		}
	}
}

// thousandths reads "0.5"; what is no weight is none at all.
func thousandths(s string) int {
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > 3 || whole != "0" && whole != "1" || strings.Trim(part, "0123456789") != "" {
		return 0
	}
	n := 0
	for i := range 3 {
		n *= 10
		if i < len(part) {
			n += int(part[i] - '0')
		}
	}
	if whole == "1" {
		return 1000
	}
	return n
}

// coding is a way in which a file may lie compressed beside itself.
type coding struct {
	name, ext string
	value     []string // of Content-Encoding
}

// codings in the order in which they are preferred.
var codings = [...]coding{
	{"br", ".br", []string{"br"}},
	{"zstd", ".zst", []string{"zstd"}},
	{"gzip", ".gz", []string{"gzip"}},
}

// weigh tells how much each coding, and none ("identity"), is wanted (RFC 9110
// section 12.5.3).
func weigh(h http.Header) (weights [len(codings)]int, identity int) {
	value, ok := field(h, "Accept-Encoding")
	if !ok {
		return weights, 1000
	}
	identity, other := 1, -1 // identity is taken, if nothing else is
	var named [len(codings)]bool
	for name, q := range qualities(value) {
		switch name {
		case "identity":
			identity = q
		case "*":
			other = q
		case "x-gzip":
			name = "gzip"
		}
		for i, c := range codings {
			if c.name == name {
				weights[i], named[i] = q, true
			}
		}
	}
	for i := range weights {
		if !named[i] {
			weights[i] = max(0, other)
		}
	}
	return weights, identity
}

// wantsJSON tells whether a client would rather have application/json than
// text/html (RFC 9110 section 12.5.1).
func wantsJSON(r *http.Request) bool {
	switch r.URL.Query().Get("format") {
	case "json":
		return true
	case "html":
		return false
	}
	value, ok := field(r.Header, "Accept")
	if !ok {
		return false
	}
	json, html := accepts(value, "application/json"), accepts(value, "text/html")
	return json > html
}

// accepts is the weight of a media type: of the most exact range that has it.
func accepts(value, media string) int {
	kind, _, _ := strings.Cut(media, "/")
	weight, exactness := 0, 0
	for name, q := range qualities(value) {
		exact := 0
		switch name {
		case media:
			exact = 3
		case kind + "/*":
			exact = 2
		case "*/*":
			exact = 1
		}
		if exact > exactness {
			weight, exactness = q, exact
		}
	}
	return weight
}
