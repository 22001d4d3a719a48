package examples_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/socket"
)

// head is the beginning of a page, with the ends of line that the tutorials show.
var head = "<!DOCTYPE html>\r\n<html lang=\"ja\">\r\n" + strings.Repeat("日本 'x'\r\n", 200)

// web stands in for the page's server.
func web(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, head) }))
	t.Cleanup(s.Close)
	return s.URL
}

func TestTutorial53_URLOpen(t *testing.T) {
	if got, want := run(t, ours(t, "urlopen", "-url", web(t))), socket.Repr([]byte(head[:300]))+"\n"; got != want {
		t.Errorf("it printed %q, want %q", got, want)
	}
	if got := run(t, ours(t, "urlopen", "-url", "data:,short")); got != "b'short'\n" {
		t.Errorf("it printed %q", got)
	}
}

// asking stands in for the page's host, as a proxy: it asks for the very realm
// of the store, and counts what should not come.
func asking(t *testing.T) (requests, credentials *atomic.Int32) {
	t.Helper()
	requests, credentials = new(atomic.Int32), new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Host != "www.example.com" || r.URL.Path != "/login.html" {
			t.Errorf("asked for %s %s", r.Host, r.URL)
		}
		if len(r.Header["Authorization"])+len(r.Header["Proxy-Authorization"]) > 0 {
			credentials.Add(1)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="PDQ Application"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	t.Setenv("http_proxy", s.URL)
	t.Setenv("no_proxy", "")
	return requests, credentials
}

func TestTutorial57_BasicAuth(t *testing.T) {
	requests, credentials := asking(t)
	if got := run(t, ours(t, "basicauth")); got != "401 Unauthorized\n" {
		t.Errorf("it printed %q", got)
	}
	if requests.Load() != 1 || credentials.Load() != 0 {
		t.Errorf("%d requests, %d with a credential", requests.Load(), credentials.Load())
	}
}
