package open_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/proto/gopher/gophertest"
)

// TestTutorial52_DefaultSchemes opens by URL alone, and is not led from one
// protocol to another.
func TestTutorial52_DefaultSchemes(t *testing.T) {
	ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"pub/a": "\x00by ftp"}})
	gopherd := gophertest.New(t, map[string]string{"a": "\x00by gopher"}, gophertest.Options{})
	c := open.BuildOpener()
	defer c.CloseIdleConnections()
	for url, want := range map[string]string{
		"ftp://" + ftpd.Addr + "/pub/a":       "\x00by ftp",
		gopherd.At('9', "/a").String():        "\x00by gopher",
		"ftp://" + ftpd.Addr + "/pub/;type=d": "a\r\n",
	} {
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(b) != want {
			t.Errorf("%s: %s, %q, %v", url, resp.Status, b, err)
		}
	}
	for _, to := range []string{"ftp://" + ftpd.Addr + "/pub/a", gopherd.At('9', "/a").String()} {
		s := httptest.NewServer(http.RedirectHandler(to, http.StatusFound))
		resp, err := c.Get(s.URL)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, open.ErrRedirectScheme) {
			t.Errorf("led to %s: %v", to, err)
		}
		s.Close()
	}
	resp, err := c.Get("ftp://" + ftpd.Addr + "/none/a")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusNotFound || resp.Header.Get("Ftp-Command") != "CWD" || !strings.Contains(string(b), "o such") {
		t.Errorf("%s, %v, %q, %v", resp.Status, resp.Header, b, err)
	}
}
