package xmlrpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
)

// A Client calls the methods of one server, as Python's ServerProxy. Its
// fields are set before the first call; then it may be used concurrently.
type Client struct {
	URL     string       // of the server; a name and password in it are sent as Basic authentication
	HTTP    *http.Client // nil: one with the defaults of net/http
	Header  http.Header  // more headers of every call
	Options Options
}

// Call calls method with args and stores what it answers in result: a pointer
// to a value that fits, an io.Writer for base64 as a stream, or nil. An
// argument that is an io.Reader is sent as base64, as it is read.
//
// A fault is a *Fault, an HTTP status other than 200 an *HTTPError; else the
// error is ErrType, ErrSyntax, ErrLimit, ctx's or the transport's. The call
// may have been carried out all the same, but for ErrType before anything is
// sent: XML-RPC promises nothing about calls that fail on the way.
func (c *Client) Call(ctx context.Context, method string, args []any, result any) error {
	body, err := c.body(method, args)
	if err != nil {
		return err
	}
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, body)
	if err != nil {
		return fmt.Errorf("xmlrpc: %w", err)
	}
	if b, ok := body.(*memory); ok { // its length is known, and it can be sent again
		req.ContentLength = int64(len(b.all))
		req.GetBody = func() (io.ReadCloser, error) { return newMemory(b.all), nil }
	}
	req.Header.Set("User-Agent", "farend-xmlrpc")
	for k, v := range c.Header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("Accept", "text/xml")
	req.Header.Set("Accept-Encoding", "gzip") // undone here, within limits
	use := c.HTTP
	if use == nil {
		use = &http.Client{} // connections are kept by the transport that all such share
	}
	resp, err := use.Do(req)
	if err != nil {
		return fmt.Errorf("xmlrpc: %s: %w", method, err)
	}
	defer resp.Body.Close()
	if err := c.answer(resp, result); err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, resp.Body, 1) // to its end, so that the connection is used again
	if err != nil && err != io.EOF {
		return fmt.Errorf("xmlrpc: %s: %w", method, err)
	}
	return nil
}

func (c *Client) answer(resp *http.Response, result any) error {
	if resp.StatusCode != http.StatusOK {
		return &HTTPError{resp.StatusCode, resp.Status}
	}
	in, label, err := openBody(resp.Body, resp.Header, c.Options)
	if err != nil {
		return err
	}
	d, err := newDecoder(in, label, c.Options)
	if err != nil {
		return err
	}
	return d.response(result)
}

// body is a call: whole, or where it holds streams as they are read.
func (c *Client) body(method string, args []any) (io.ReadCloser, error) {
	for _, a := range args {
		if _, ok := a.(io.Reader); ok {
			r, w := io.Pipe()
			go func() { w.CloseWithError(EncodeCall(w, method, args, c.Options)) }()
			return r, nil
		}
	}
	var b bytes.Buffer
	if err := EncodeCall(&b, method, args, c.Options); err != nil {
		return nil, err
	}
	return newMemory(b.Bytes()), nil
}

// memory is a body that lies here.
type memory struct {
	*bytes.Reader
	all []byte
}

func newMemory(b []byte) *memory { return &memory{bytes.NewReader(b), b} }

func (m *memory) Close() error { return nil }

// One is a call among several.
type One struct {
	Method string
	Args   []any
	Result any   // as that of Call
	Err    error // set by Multicall: a *Fault, or why the answer did not fit
}

// Multicall makes several calls in one request (system.multicall). The error is
// that of the whole; each call has its own.
func (c *Client) Multicall(ctx context.Context, calls []One) error {
	var all []any
	for _, one := range calls {
		args := one.Args
		if args == nil {
			args = []any{}
		}
		all = append(all, map[string]any{"methodName": one.Method, "params": args})
	}
	var each []any
	if err := c.Call(ctx, "system.multicall", []any{all}, &each); err != nil {
		return err
	}
	return sortOut(each, calls, c.Options)
}

// sortOut gives each call its own answer.
func sortOut(each []any, calls []One, o Options) error {
	if len(each) != len(calls) {
		return syntax("%d answers to %d calls", len(each), len(calls))
	}
	for i, v := range each {
		one := &calls[i]
		switch v := v.(type) {
		case []any:
			if len(v) != 1 {
				return syntax("an answer of %d values", len(v))
			}
			one.Err = refit(v[0], one.Result, o)
		case map[string]any:
			code, _ := v["faultCode"].(int)
			text, ok := v["faultString"].(string)
			if !ok {
				return syntax("a fault without its members")
			}
			one.Err = &Fault{code, text}
		default:
			return syntax("an answer that is neither array nor fault")
		}
	}
	return nil
}

// refit brings a value that was read as any into a type of the caller's.
func refit(v, result any, o Options) error {
	if result == nil {
		return nil
	}
	if to := reflect.ValueOf(result); to.Kind() == reflect.Pointer && !to.IsNil() && isAny(to.Elem()) {
		if v == nil {
			to.Elem().SetZero()
		} else {
			to.Elem().Set(reflect.ValueOf(v))
		}
		return nil
	}
	o.Extensions, o.Zones = true, true
	var b bytes.Buffer
	if err := EncodeResponse(&b, v, nil, o); err != nil {
		return err
	}
	return DecodeResponse(&b, result, o)
}
