package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// download fetches all of a file.
func download(ctx context.Context, d web.Download) (*web.Body, string, error) {
	body, err := d.Open(ctx)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	var b strings.Builder
	_, err = io.Copy(&b, body)
	return body, b.String(), err
}

// A download survives connections that are cut at any byte.
func TestDownloadGoesOn(t *testing.T) {
	content := strings.Repeat(digits, 30_000)
	_, s := onDisk(t, filetree.Options{ReadOnly: true}, map[string]string{"f": content})
	for _, deed := range []faults.Deed{faults.Reset, faults.Close, faults.Cut, faults.HalfClose} {
		var connections atomic.Int64
		r := serve(t, &server.Server{
			Handler: &web.Handler{HTTP: s},
			Layers:  []conv.Layer{faults.Layer(faults.Rule{Do: deed, Dir: faults.Out, After: 70_000})},
			Tap: func(*server.Talk) conv.Tap {
				connections.Add(1)
				return nil
			},
		})
		body, got, err := download(t.Context(), web.Download{Client: r.Client, URL: r.URL + "/f", Pause: -1})
		if err != nil || got != content || body.Size != int64(len(content)) || body.From != 0 {
			t.Errorf("%s: %d bytes of %d, %v", deed, len(got), len(content), err)
		}
		if n := connections.Load(); n < 5 {
			t.Errorf("%s: over %d connections", deed, n)
		}
		r.stop()
	}
}

// changing is a server whose file is another one with each request.
func changing(o func(n int, w http.ResponseWriter, r *http.Request)) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o(int(n.Add(1)), w, r) })
}

// half announces more than it sends.
func half(w http.ResponseWriter, content string) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = io.WriteString(w, content[:len(content)/2])
	panic(http.ErrAbortHandler)
}

func TestDownloadIsHonest(t *testing.T) {
	long := strings.Repeat(digits, 1000)
	for _, c := range []struct {
		name string
		do   func(n int, w http.ResponseWriter, r *http.Request)
		want error // nil: all of long
	}{
		{"the file changes", func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", fmt.Sprintf(`"%d"`, n))
			half(w, long)
		}, web.ErrVersion},
		{"no validator", func(_ int, w http.ResponseWriter, _ *http.Request) { half(w, long) }, io.ErrUnexpectedEOF},
		{"a weak one", func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `W/"x"`)
			half(w, long)
		}, io.ErrUnexpectedEOF},
		{"no ranges, but one version", func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `"x"`)
			if n == 1 {
				half(w, long)
			}
			_, _ = io.WriteString(w, long)
		}, nil},
		{"another range than was asked for", func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `"x"`)
			if n == 1 {
				half(w, long)
			}
			w.Header().Set("Content-Range", "bytes 0-9999/10000")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, long)
		}, web.ErrVersion},
		{"a part of another tag", func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", fmt.Sprintf(`"%d"`, n))
			if n == 1 {
				half(w, long)
			}
			first, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
			w.Header().Set("Content-Range", "bytes "+first+"-9999/10000")
			w.WriteHeader(http.StatusPartialContent)
		}, web.ErrVersion},
		{"gone", func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `"x"`)
			if n == 1 {
				half(w, long)
			}
			w.WriteHeader(http.StatusGone)
		}, web.Status(http.StatusGone)},
		{"busy at first", func(n int, w http.ResponseWriter, _ *http.Request) {
			if n < 4 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, long)
		}, nil},
		{"busy for ever", func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, web.Status(http.StatusServiceUnavailable)},
		{"not found", func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, web.Status(http.StatusNotFound)},
	} {
		ts := httptest.NewServer(changing(c.do))
		_, got, err := download(t.Context(), web.Download{Client: ts.Client(), URL: ts.URL, Pause: -1})
		ts.Close()
		if !errors.Is(err, c.want) || c.want == nil && got != long || !strings.HasPrefix(long, got) {
			t.Errorf("%s: %d bytes, %v; want %v", c.name, len(got), err, c.want)
		}
	}
}

// What is here already is gone on with if it is of the same version, and is of
// no use otherwise.
func TestDownloadFrom(t *testing.T) {
	_, s := onDisk(t, filetree.Options{ReadOnly: true}, map[string]string{"f": digits})
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: s}})
	body, _, err := download(t.Context(), web.Download{Client: r.Client, URL: r.URL + "/f"})
	if err != nil {
		t.Fatal(err)
	}
	v := body.Validator
	if v.ETag.Opaque == "" || v.ETag.Weak || !v.Modified.Equal(written.Truncate(time.Second)) {
		t.Errorf("%+v", v)
	}
	for _, c := range []struct {
		name string
		from int64
		v    web.Validator
		at   int64
		want string
	}{
		{"the same", 4, v, 4, "456789"},
		{"all of it", 10, v, 10, ""},
		{"more than there is", 11, v, 0, digits},
		{"another", 4, web.Validator{ETag: web.ETag{Opaque: "x"}}, 0, digits},
		{"by its time", 4, web.Validator{Modified: v.Modified}, 4, "456789"},
		{"by another time", 4, web.Validator{Modified: v.Modified.Add(time.Second)}, 0, digits},
		{"unknown", 4, web.Validator{}, 0, digits},
		{"weak", 4, web.Validator{ETag: web.ETag{Opaque: v.ETag.Opaque, Weak: true}}, 0, digits},
	} {
		body, got, err := download(t.Context(), web.Download{Client: r.Client, URL: r.URL + "/f", From: c.from, Validator: c.v})
		if err != nil || got != c.want || body.From != c.at || body.Size != 10 {
			t.Errorf("%s: %q, %v; %+v", c.name, got, err, body)
		}
	}
}

func TestDownloadEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer ts.Close()
	_, _, err := download(ctx, web.Download{Client: ts.Client(), URL: ts.URL})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, err := download(t.Context(), web.Download{Client: ts.Client(), URL: "nonsense://x"}); err == nil {
		t.Error("a scheme that nobody knows")
	}
}

// Between tries it waits, longer each time.
func TestDownloadPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		c := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody}, nil
		})}
		_, _, err := download(t.Context(), web.Download{Client: c, URL: "http://h/", Retries: 3, Pause: time.Second})
		if !errors.Is(err, web.Status(http.StatusBadGateway)) || len(at) != 4 {
			t.Fatalf("%v, %v", at, err)
		}
		for i, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if got := at[i+1] - at[i]; got < pause*3/4 || got > pause*5/4+1 {
				t.Errorf("pause %d: %v", i, got)
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
