package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// ErrVersion is a download that cannot go on, because the server has another
// version of the file by now, or does not tell its versions apart.
var ErrVersion = errors.New("http: the file has changed meanwhile")

// A Download gets a file over HTTP, and goes on where a broken connection left
// it: with a Range for the rest, and If-Range so that the server sends it only
// of the same version (RFC 9110 sections 13.1.5 and 14.2). A beginning of one
// version is never joined to the end of another.
type Download struct {
	Client *http.Client // nil: one with net/http's own transport
	URL    string
	Header http.Header // goes with each request; its Range, If-Range and Accept-Encoding are ours

	// From is how many bytes of the file are here already, of the version that
	// Validator names. Where the server has not that version, or Validator is
	// zero, the download begins anew: see Body.From.
	From      int64
	Validator Validator

	// Retries is how often a request is made again without a byte in between,
	// after a broken connection, or an answer of 429, 502, 503 or 504; 0: 5,
	// below 0: never. Pause is how long it waits before the first, and
	// twice as long before each further one, give or take a quarter; 0: 250
	// ms, below 0: not at all.
	Retries int
	Pause   time.Duration
}

// A Validator names a version of a file, as a server told it. The zero
// Validator names none.
type Validator struct {
	ETag     ETag      // a weak one does not count for ranges
	Modified time.Time // zero: unknown, or too near to when it was told to tell versions apart
}

// ValidatorOf reads ETag, Last-Modified and Date of a response.
func ValidatorOf(h http.Header) Validator {
	var v Validator
	if t, rest, ok := ParseETag(h.Get("Etag")); ok && rest == "" {
		v.ETag = t
	}
	modified, ok := date(h, "Last-Modified")
	if now, dated := date(h, "Date"); ok && dated && now.Sub(modified) >= time.Second { // RFC 9110 section 8.8.2.2
		v.Modified = modified
	}
	return v
}

// ifRange is v as a value of If-Range; "" where it is too weak for that.
func (v Validator) ifRange() string {
	switch {
	case v.ETag.Opaque != "" && !v.ETag.Weak:
		return v.ETag.String()
	case v.ETag.Opaque == "" && !v.Modified.IsZero():
		return v.Modified.UTC().Format(http.TimeFormat)
	}
	return ""
}

// same tells whether both surely name one version.
func (v Validator) same(o Validator) bool {
	s := v.ifRange()
	return s != "" && s == o.ifRange()
}

// A Body is a file as it comes. It is used by one goroutine at a time, and must
// be closed.
type Body struct {
	// Response is the first answer; its Body is this one's affair.
	Response *http.Response
	// From is where the first byte that Read gives stands in the file: the
	// Download's, or 0 where it begins anew, so that what was there is of no
	// use.
	From int64
	// Size is that of the whole file; -1: unknown.
	Size      int64
	Validator Validator

	d    Download
	ctx  context.Context //nolint:containedctx // of Open, as http.Request's
	at   int64           // how much of the file has been read
	src  io.ReadCloser
	err  error
	left int // retries
}

// Open makes the first request. A response that is neither 200 nor 206 is a
// Status. ctx bounds the download to its end.
func (d Download) Open(ctx context.Context) (*Body, error) {
	b := &Body{d: d, ctx: ctx, Size: -1}
	b.rewind()
	if d.From > 0 && d.Validator.ifRange() != "" {
		b.at, b.Validator = d.From, d.Validator
	}
	for {
		resp, err := b.ask()
		if err == nil {
			if err = b.begin(resp); err == nil {
				return b, nil
			}
		}
		if _, answered := errors.AsType[Status](err); answered || errors.Is(err, errAnew) {
			err = b.again(err)
		}
		if err != nil {
			return nil, fmt.Errorf("http: get %s: %w", d.URL, err)
		}
	}
}

// rewind gives the retries back.
func (b *Body) rewind() {
	b.left = b.d.Retries
	if b.left == 0 {
		b.left = 5
	}
}

// ask requests the file from b.at.
func (b *Body) ask() (*http.Response, error) {
	r, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.d.URL, nil)
	if err != nil {
		return nil, err
	}
	if b.d.Header != nil {
		r.Header = b.d.Header.Clone()
	}
	r.Header["Accept-Encoding"] = []string{"identity"} // or the ranges would be those of what is compressed
	delete(r.Header, "Range")
	delete(r.Header, "If-Range")
	if b.at > 0 {
		r.Header["Range"] = []string{Ranges{{b.at, -1}}.String()}
		r.Header["If-Range"] = []string{b.Validator.ifRange()}
	}
	c := b.d.Client
	if c == nil {
		c = &http.Client{}
	}
	return c.Do(r) // begin and goOn close its body
}

// begin takes the first answer.
func (b *Body) begin(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		b.at, b.Size = 0, resp.ContentLength
		b.Validator = ValidatorOf(resp.Header)
	case http.StatusPartialContent:
		if err := b.joins(resp); err != nil {
			return b.anew(resp)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		c, err := ParseContentRange(resp.Header.Get("Content-Range"))
		if b.at == 0 || err != nil || c.Size != b.at { // not the end of what we have
			return b.anew(resp)
		}
		resp.Body.Close()
		resp.Body, b.Size = http.NoBody, b.at
	default:
		resp.Body.Close()
		return Status(resp.StatusCode)
	}
	b.Response, b.src, b.From = resp, resp.Body, b.at
	return nil
}

// anew gives up what is here, because the answer does not go on with it.
func (b *Body) anew(resp *http.Response) error {
	resp.Body.Close()
	if b.at == 0 {
		return Status(resp.StatusCode)
	}
	b.at = 0
	return errAnew
}

// errAnew has the file asked for from its beginning.
var errAnew = errors.New("http: from the beginning")

// joins tells whether an answer goes on where we are.
func (b *Body) joins(resp *http.Response) error {
	c, err := ParseContentRange(resp.Header.Get("Content-Range"))
	if err != nil {
		return err
	}
	v := ValidatorOf(resp.Header)
	if c.First != b.at || b.Size >= 0 && c.Size >= 0 && c.Size != b.Size || v.ETag.Opaque != "" && b.Validator.ETag.Opaque != "" && v.ETag != b.Validator.ETag {
		return ErrVersion
	}
	if c.Size >= 0 {
		b.Size = c.Size
	}
	return nil
}

// Read gives the file's bytes. io.EOF is its end; ErrVersion, or what broke the
// connection last, where it cannot be had to its end.
func (b *Body) Read(p []byte) (int, error) {
	for {
		if b.err != nil {
			return 0, b.err
		}
		n, err := b.src.Read(p)
		b.at += int64(n)
		if n > 0 {
			b.rewind()
		}
		switch {
		case err == io.EOF && b.Size >= 0 && b.at < b.Size:
			err = io.ErrUnexpectedEOF
		case err == nil || err == io.EOF:
			return n, err
		}
		if err := b.mend(err); err != nil {
			b.err = fmt.Errorf("http: get %s: at byte %d: %w", b.d.URL, b.at, err)
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
}

// mend finds the rest of the file after a failure.
func (b *Body) mend(err error) error {
	b.src.Close()
	b.src = http.NoBody
	for {
		if err := b.again(err); err != nil {
			return err
		}
		if b.at > 0 && b.Validator.ifRange() == "" {
			return fmt.Errorf("%w (and the server names no version to go on with)", err)
		}
		var resp *http.Response
		if resp, err = b.ask(); err == nil {
			if err = b.goOn(resp); err == nil {
				return nil
			}
		}
	}
}

// goOn takes an answer in the middle of the file.
func (b *Body) goOn(resp *http.Response) error {
	var err error
	switch resp.StatusCode {
	case http.StatusPartialContent:
		err = b.joins(resp)
	case http.StatusOK: // another version, or a server without ranges
		if !b.Validator.same(ValidatorOf(resp.Header)) {
			err = ErrVersion
		} else {
			_, err = io.CopyN(io.Discard, resp.Body, b.at)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		err = ErrVersion
	default:
		err = Status(resp.StatusCode)
	}
	if err != nil {
		resp.Body.Close()
		return err
	}
	b.src = resp.Body
	return nil
}

// again waits before another request; an error: there will be none.
func (b *Body) again(err error) error {
	if errors.Is(err, errAnew) {
		return nil
	}
	if ctxErr := b.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if s, ok := errors.AsType[Status](err); ok && s != http.StatusBadGateway && s != http.StatusServiceUnavailable && s != http.StatusGatewayTimeout && s != http.StatusTooManyRequests {
		return err
	}
	if errors.Is(err, ErrVersion) || errors.Is(err, ErrRange) || errors.Is(err, ErrUnit) || b.left <= 0 {
		return err
	}
	tries := max(b.d.Retries, 0)
	if b.d.Retries == 0 {
		tries = 5
	}
	pause := b.d.Pause
	if pause == 0 {
		pause = 250 * time.Millisecond
	}
	pause <<= min(tries-b.left, 10)
	b.left--
	if pause <= 0 {
		return nil
	}
	t := time.NewTimer(pause*3/4 + rand.N(pause/2+1)) //nolint:gosec // nobody gains by guessing it
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// Close ends the download.
func (b *Body) Close() error {
	if b.err == nil {
		b.err = fmt.Errorf("http: get %s: %w", b.d.URL, http.ErrBodyReadAfterClose)
	}
	return b.src.Close()
}

var _ io.ReadCloser = (*Body)(nil)
