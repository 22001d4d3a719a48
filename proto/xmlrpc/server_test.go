package xmlrpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/proto/xmlrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type tool struct{ calls int }

func (t *tool) Upper(s string) string                     { t.calls++; return strings.ToUpper(s) }
func (t *tool) Sum(first int, more ...int) int            { return sum(append(more, first)) }
func (t *tool) Fail(string) (int, error)                  { return 0, errors.New("it failed") }
func (t *tool) Fault() error                              { return &xmlrpc.Fault{Code: 9, String: "own <code>"} }
func (t *tool) Panic()                                    { panic("asked for") }
func (t *tool) Wait(ctx context.Context) (string, error)  { <-ctx.Done(); return "", ctx.Err() }
func (t *tool) Big(n int) []byte                          { return make([]byte, n) }
func (t *tool) Odd() any                                  { return "\x00" }
func (t *tool) Stream() io.Reader                         { return strings.NewReader("stream") }
func (t *tool) Point(p struct{ X, Y int }) map[string]int { return map[string]int{"X": p.Y, "Y": p.X} }
func (t *tool) Channel() chan int                         { return nil }

func sum(all []int) (n int) {
	for _, v := range all {
		n += v
	}
	return n
}

// serve gives a client of a server with a tool's methods.
func serve(t *testing.T, o xmlrpc.Options) *xmlrpc.Client {
	t.Helper()
	m, err := xmlrpc.Receiver("", &tool{}, "Channel")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&xmlrpc.Server{Methods: m, Options: o})
	tr := &http.Transport{}
	t.Cleanup(func() { tr.CloseIdleConnections(); srv.Close() })
	return &xmlrpc.Client{URL: srv.URL, HTTP: &http.Client{Transport: tr}, Options: o}
}

func TestCalls(t *testing.T) {
	c := serve(t, xmlrpc.Options{})
	for _, one := range []struct {
		method string
		args   []any
		want   any
		code   int
	}{
		{"upper", []any{"a<b"}, "A<B", 0},
		{"sum", []any{1}, 1, 0},
		{"sum", []any{1, 2, 3}, 6, 0},
		{"point", []any{map[string]int{"X": 1, "Y": 2}}, map[string]any{"X": 2, "Y": 1}, 0},
		{"stream", nil, []byte("stream"), 0},
		{"sum", nil, nil, xmlrpc.CodeParameters},
		{"sum", []any{"one"}, nil, xmlrpc.CodeParameters},
		{"upper", []any{"a", "b"}, nil, xmlrpc.CodeParameters},
		{"nothing", nil, nil, xmlrpc.CodeNoMethod},
		{"fail", []any{""}, nil, xmlrpc.CodeApplication},
		{"fault", nil, nil, 9},
		{"panic", nil, nil, xmlrpc.CodeInternal},
		{"odd", nil, nil, xmlrpc.CodeInternal},
	} {
		var got any
		err := c.Call(t.Context(), one.method, one.args, &got)
		var fault *xmlrpc.Fault
		switch {
		case one.code != 0:
			if !errors.As(err, &fault) || fault.Code != one.code {
				t.Errorf("%s%v: %v, want fault %d", one.method, one.args, err, one.code)
			}
		case err != nil || !reflect.DeepEqual(got, one.want):
			t.Errorf("%s%v: %#v, %v", one.method, one.args, got, err)
		}
	}
}

func TestMulticall(t *testing.T) {
	c := serve(t, xmlrpc.Options{})
	var up string
	var total any
	calls := []xmlrpc.One{
		{Method: "upper", Args: []any{"x"}, Result: &up}, {Method: "fault"}, {Method: "sum", Args: []any{1, 2}, Result: &total},
		{Method: "system.multicall", Args: []any{[]any{}}}, {Method: "odd"}, {Method: "upper", Args: []any{1}}, {Method: "stream"},
	}
	if err := c.Multicall(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
	if up != "X" || total != 3 || calls[0].Err != nil || calls[6].Err != nil {
		t.Errorf("%q %v %v %v", up, total, calls[0].Err, calls[6].Err)
	}
	for i, code := range map[int]int{1: 9, 3: xmlrpc.CodeInvalid, 4: xmlrpc.CodeInternal, 5: xmlrpc.CodeParameters} {
		var fault *xmlrpc.Fault
		if !errors.As(calls[i].Err, &fault) || fault.Code != code {
			t.Errorf("call %d: %v", i, calls[i].Err)
		}
	}
}

func TestIntrospection(t *testing.T) {
	c := serve(t, xmlrpc.Options{})
	var names []string
	if err := c.Call(t.Context(), "system.listMethods", nil, &names); err != nil || len(names) != 15 || names[0] != "big" {
		t.Errorf("%q %v", names, err)
	}
	var signature [][]string
	err := c.Call(t.Context(), "system.methodSignature", []any{"point"}, &signature)
	if err != nil || !reflect.DeepEqual(signature, [][]string{{"struct", "struct"}}) {
		t.Errorf("%v %v", signature, err)
	}
	var help string
	if err := c.Call(t.Context(), "system.methodHelp", []any{"system.listMethods"}, &help); err != nil || help == "" {
		t.Errorf("%q %v", help, err)
	}
	if _, err := xmlrpc.Receiver("", &tool{}); !errors.Is(err, xmlrpc.ErrType) {
		t.Errorf("a method that gives a channel: %v", err)
	}
}

func TestPage(t *testing.T) {
	c := serve(t, xmlrpc.Options{})
	resp, err := c.HTTP.Get(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	for _, want := range []string{"<strong>upper</strong>(string)", "any number of int", "system.multicall"} {
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q (%v)", want, err)
		}
	}
}

// post sends a body as it is.
func post(t *testing.T, c *xmlrpc.Client, body []byte, h map[string]string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range h {
		req.Header.Set(k, v)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestHostileBodies(t *testing.T) {
	c := serve(t, xmlrpc.Options{Size: 8 << 20})
	squeeze := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.Bytes()
	}
	call := func(arg string) string {
		return "<methodCall><methodName>upper</methodName><params><param><value>" + arg + "</value></param></params></methodCall>"
	}
	gz := map[string]string{"Content-Encoding": "gzip"}
	for name, one := range map[string]struct {
		body   []byte
		header map[string]string
		status int
		want   string
	}{
		"plain":          {[]byte(call("ab")), nil, 200, "AB"},
		"compressed":     {squeeze(call("ab")), gz, 200, "AB"},
		"latin-1":        {[]byte(call("\xe9")), map[string]string{"Content-Type": "text/xml; charset=iso-8859-1"}, 200, "É"},
		"bomb":           {squeeze(call(strings.Repeat("a", 4<<20))), gz, 200, "-32600"},
		"too large":      {[]byte(call(strings.Repeat("a", 9<<20))), nil, 413, ""},
		"too large, gz":  {squeeze(strings.Repeat(" ", 9<<20)), gz, 200, "-32600"},
		"no gzip":        {[]byte(call("x")), gz, 200, "-32700"},
		"unknown coding": {[]byte(call("x")), map[string]string{"Content-Encoding": "br"}, 200, "-32700"},
		"entities":       {[]byte(`<!DOCTYPE l [<!ENTITY a "aaa">]>` + call("&a;")), nil, 200, "-32700"},
		"empty":          {nil, nil, 200, "-32700"},
	} {
		if status, text := post(t, c, one.body, one.header); status != one.status || !strings.Contains(text, one.want) {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
	}
}

func TestClientErrors(t *testing.T) {
	answer := func(status int, header, body string) *xmlrpc.Client {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set("Content-Encoding", header)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		tr := &http.Transport{}
		t.Cleanup(func() { tr.CloseIdleConnections(); srv.Close() })
		return &xmlrpc.Client{URL: srv.URL, HTTP: &http.Client{Transport: tr}}
	}
	var status *xmlrpc.HTTPError
	if err := answer(404, "", "no").Call(t.Context(), "a", nil, nil); !errors.As(err, &status) || status.Code != 404 {
		t.Errorf("%v", err)
	}
	if err := answer(200, "", "<html></html>").Call(t.Context(), "a", nil, nil); !errors.Is(err, xmlrpc.ErrSyntax) {
		t.Errorf("%v", err)
	}
	if err := answer(200, "deflate", "").Call(t.Context(), "a", nil, nil); !errors.Is(err, xmlrpc.ErrSyntax) {
		t.Errorf("%v", err)
	}
	if err := answer(200, "", "").Call(t.Context(), "a b", nil, nil); !errors.Is(err, xmlrpc.ErrType) {
		t.Errorf("%v", err)
	}
	c := serve(t, xmlrpc.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	context.AfterFunc(ctx, func() {})
	cancel()
	if err := c.Call(ctx, "wait", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A large answer is compressed, and an argument may be a stream.
func TestLargeAndStreams(t *testing.T) {
	c := serve(t, xmlrpc.Options{})
	var got []byte
	if err := c.Call(t.Context(), "big", []any{50_000}, &got); err != nil || len(got) != 50_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	var out bytes.Buffer
	if err := c.Call(t.Context(), "big", []any{50_000}, &out); err != nil || out.Len() != 50_000 {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
	var fault *xmlrpc.Fault
	if err := c.Call(t.Context(), "upper", []any{strings.NewReader("x")}, nil); !errors.As(err, &fault) || fault.Code != xmlrpc.CodeParameters {
		t.Errorf("base64 for a string: %v", err)
	}
}

// TestPageShowsSignatures has a method that says itself how it can be called.
func TestPageShowsSignatures(t *testing.T) {
	m, err := xmlrpc.Func(func(a, _ any) any { return a }, "help & more")
	if err != nil {
		t.Fatal(err)
	}
	m.Signatures = [][]string{{"int", "int", "int"}, {}, {"double", "double", "double"}}
	w := httptest.NewRecorder()
	(&xmlrpc.Server{Methods: xmlrpc.Methods{"add": m}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	const want = `<dt id="add">int <strong>add</strong>(int, int)<br>double <strong>add</strong>(double, double)</dt><dd>help &amp; more</dd>`
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("the page lacks %s:\n%s", want, w.Body)
	}
}
