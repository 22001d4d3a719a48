//go:build unix

package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestGetShowsABarOnATerminal holds a download until the bar is there; in a
// pipe there is none.
func TestGetShowsABarOnATerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	defer master.Close()
	if err := pty.Setsize(slave, &pty.Winsize{Rows: 24, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "200000")
		io.WriteString(w, strings.Repeat("x", 100_000))
		w.(http.Flusher).Flush()
		select {
		case <-seen:
		case <-r.Context().Done():
		}
		io.WriteString(w, strings.Repeat("y", 100_000))
	}))
	defer s.Close()
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf, once := make([]byte, 4096), seen
		for {
			n, err := master.Read(buf)
			shown.Write(buf[:n])
			if once != nil && strings.Contains(shown.String(), "of 195.3 KiB") {
				close(once)
				once = nil
			}
			if err != nil {
				return
			}
		}
	}()
	to := filepath.Join(t.TempDir(), "f")
	if code := Main(t.Context(), []string{"get", "-m", "30", "-o", to, s.URL}, nil, io.Discard, slave, nil); code != 0 {
		t.Errorf("status %d", code)
	}
	slave.Close()
	<-read
	wrote(t, to, strings.Repeat("x", 100_000)+strings.Repeat("y", 100_000))
	if text := shown.String(); !strings.Contains(text, "KiB/s") {
		t.Errorf("%q", text)
	}
	if code, out, said := mainOf(t, "get", "-o", to, s.URL); code != 0 || out+said != "" {
		t.Errorf("in a pipe: status %d, %q", code, out+said)
	}
}
