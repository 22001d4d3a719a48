//go:build interop

package examples_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/socket"
)

func TestTutorial53_URLOpenCrossed(t *testing.T) {
	url := web(t)
	want := socket.Repr([]byte(head[:300])) + "\n"
	if got := run(t, theirs(t, "urlopen", url)); got != want {
		t.Errorf("Python's printed %q, want %q", got, want)
	}
	dir, port := t.TempDir(), freePort(t)
	if err := os.WriteFile(filepath.Join(dir, "page.html"), []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	background(t, []string{foreign.Python(t, 3), "-m", "http.server", "--bind", "127.0.0.1", "-d", dir, port})
	if got := run(t, ours(t, "urlopen", "-url", "http://127.0.0.1:"+port+"/page.html")); got != want {
		t.Errorf("ours printed %q, want %q", got, want)
	}
}

func TestTutorial57_BasicAuthCrossed(t *testing.T) {
	requests, credentials := asking(t)
	if got := run(t, theirs(t, "basicauth")); got != "401 Unauthorized\n" {
		t.Errorf("Python's printed %q", got)
	}
	if requests.Load() == 0 || credentials.Load() != 0 {
		t.Errorf("%d requests, %d with a credential", requests.Load(), credentials.Load())
	}
}
