package xmlrpc

import (
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// openBody undoes the compression of a message and finds its encoding, as its
// headers say.
func openBody(body io.Reader, h http.Header, o Options) (in io.Reader, label string, err error) {
	if kind, params, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil && strings.HasSuffix(kind, "/xml") {
		label = params["charset"]
	}
	if kind := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); kind != "" && kind != "identity" {
		if kind != "gzip" && kind != "x-gzip" {
			return nil, "", syntax("Content-Encoding %.40q", kind)
		}
		count := &counter{r: body}
		z, err := gzip.NewReader(count)
		if err != nil {
			return nil, "", syntax("gzip: %v", err)
		}
		body = &blown{z: z, in: count, ratio: orElse(o.Ratio, 100)}
	}
	return body, label, nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// blown is what was compressed, unless by too much.
type blown struct {
	z     *gzip.Reader
	in    *counter
	out   int64
	ratio int64
}

// free is how much any message may be, however well it was compressed.
const free = 1 << 20

func (b *blown) Read(p []byte) (int, error) {
	n, err := b.z.Read(p)
	if b.out += int64(n); b.out > free && b.out/b.ratio > b.in.n {
		return 0, fmt.Errorf("%w: compressed by more than %d", ErrLimit, b.ratio)
	}
	return n, err
}
