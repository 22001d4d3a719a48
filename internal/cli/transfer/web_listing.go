package transfer

import (
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// This file reads the listings that servers write as HTML: nginx and Apache
// (pre or table), lighttpd, IIS, Python, Go, Jetty, Tomcat. All have a link for
// each file; most have its date and size in the same line or row.

// page is what is wanted of HTML.
type page struct {
	title string
	rows  []row
	bare  bool // nothing but links, in one pre: Go's http.FileServer
}

// row is a line of a pre, a row of a table or an item of a list: its links, and
// the text beside them.
type row struct {
	links []string
	text  string
}

// isListing tells a listing by its title, and that of IIS by the path in it:
// "host - /pub/".
func (p *page) isListing(u *url.URL) bool {
	title := strings.TrimSpace(p.title)
	if p.bare && title == "" || strings.HasSuffix(title, " - "+u.Path) {
		return true
	}
	title = strings.ToLower(title)
	for _, begin := range []string{"index of", "directory listing for", "listing of", "directory:"} {
		if strings.HasPrefix(title, begin) {
			return true
		}
	}
	return false
}

func readPage(r io.Reader) (*page, error) {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(1 << 20)
	p := &pageReader{}
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				return nil, err
			}
			p.next()
			p.page.bare = p.hadPre && !p.said
			return &p.page, nil
		case html.TextToken:
			p.text(string(z.Text()))
		case html.EndTagToken:
			name, _ := z.TagName()
			p.end(string(name))
		case html.StartTagToken, html.SelfClosingTagToken:
			p.begin(z)
		}
	}
}

// pageReader puts a page together.
type pageReader struct {
	page                   page
	row                    row
	inTitle, inPre, inLink bool
	hadPre, said           bool
}

// next ends a row.
func (p *pageReader) next() {
	if len(p.row.links) > 0 {
		p.page.rows = append(p.page.rows, p.row)
	}
	p.row = row{}
}

func (p *pageReader) text(s string) {
	switch {
	case p.inTitle:
		p.page.title += s
		return
	case p.inLink:
		return
	}
	p.said = p.said || strings.TrimSpace(s) != ""
	for i, line := range strings.Split(s, "\n") {
		if i > 0 && p.inPre {
			p.next()
		}
		if len(p.row.text) < maxRow {
			p.row.text += " " + line
		}
	}
}

// maxRow is how much text beside a link is looked at.
const maxRow = 4 << 10

func (p *pageReader) end(name string) {
	switch name {
	case "title":
		p.inTitle = false
	case "a":
		p.inLink = false
	case "pre":
		p.inPre = false
		p.next()
	case "tr":
		p.next()
	}
}

func (p *pageReader) begin(z *html.Tokenizer) {
	name, more := z.TagName()
	switch string(name) {
	case "title":
		p.inTitle = true
	case "pre":
		p.inPre, p.hadPre = true, true
		p.next()
	case "tr", "br", "li", "hr":
		p.next()
	case "a":
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			if string(key) == "href" {
				p.row.links = append(p.row.links, string(value))
				p.inLink = true
			}
		}
	}
}

// version is what a row says of the one file that its links lead to: the size
// where it is not rounded, and a time to the minute or second, of a zone that
// nobody tells. Both are a hint, no more.
func (r row) version() Version {
	words := strings.Fields(r.text)
	for i := range words {
		at, n := listedTime(words[i:])
		if n == 0 {
			continue
		}
		v := Version{Size: -1, Modified: at}
		if i+n < len(words) {
			if size, err := strconv.ParseUint(words[i+n], 10, 63); err == nil { // neither 1.2K nor - nor <dir>
				v.Size = int64(size)
			}
		}
		return v
	}
	return unknown
}

// listedTime reads a time from the first words, and tells how many it took; 0:
// there is none.
func listedTime(words []string) (at time.Time, n int) {
	for _, form := range []struct {
		words   int
		layouts []string
	}{
		{2, []string{"2-Jan-2006 15:04", "2006-01-02 15:04", "2006-Jan-02 15:04:05", "2-Jan-2006 15:04:05", "2006-01-02 15:04:05"}},
		{3, []string{"1/2/2006 3:04 PM"}},
		{6, []string{"Monday, January 2, 2006 3:04 PM"}},
	} {
		if len(words) < form.words {
			break
		}
		text := strings.Join(words[:form.words], " ")
		for _, layout := range form.layouts {
			if at, err := time.Parse(layout, text); err == nil {
				return at, form.words
			}
		}
	}
	return at, 0
}

// fromHTML follows the links of a page that lead below it.
func (t *webTreeOf) fromHTML(dir entry, u *url.URL, body io.Reader) (listing, error) {
	page, err := readPage(body)
	if err != nil {
		return listing{}, err
	}
	found := listing{whole: page.isListing(u)}
	seen := map[string]bool{}
	for _, row := range page.rows {
		var of []entry // the row is about
		for _, link := range row.links {
			to, err := u.Parse(link)
			if err != nil {
				continue
			}
			rest, ok := under(u, to)
			if !ok {
				continue
			}
			name := strings.TrimSuffix(rest, "/")
			e := entry{path: join(dir.path, name), dir: name != rest, version: unknown, ref: to}
			if !slices.ContainsFunc(of, func(o entry) bool { return o.path == e.path && o.dir == e.dir }) {
				of = append(of, e)
			}
		}
		if len(of) == 1 && !of[0].dir && found.whole {
			of[0].version = row.version()
		}
		for _, e := range of {
			if key := asListed(e); !seen[key] {
				seen[key] = true
				found.entries = append(found.entries, e)
			}
		}
	}
	if index := join(dir.path, "index.html"); !found.whole && !seen[index] {
		found.entries = append(found.entries, entry{path: index, version: unknown, ref: u})
	}
	return found, nil
}

// asListed is an entry's path, of a directory with a slash.
func asListed(e entry) string {
	if e.dir {
		return e.path + "/"
	}
	return e.path
}
