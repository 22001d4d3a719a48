//go:build interop

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
)

func TestCurlFetchesFromTheTrees(t *testing.T) {
	curl := foreign.Program(t, "curl")
	version, err := exec.Command(curl, "--version").Output()
	if err != nil {
		t.Fatal("curl: ", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "greeting.txt"), []byte("hello from the root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	speaks := func(scheme string) bool {
		_, list, _ := strings.Cut(string(version), "Protocols:")
		list, _, _ = strings.Cut(list, "\n")
		return strings.Contains(" "+list+" ", " "+scheme+" ")
	}
	for _, engine := range []string{"goroutines", "events"} {
		s := startServe(t, nil, "--engine", engine, "--root", dir, "--writable", "--user", "ann:secret",
			"--listen", "ftp=:0", "--listen", "ftps=:0", "--listen", "gopher=:0", "--listen", "gophers=:0")
		url := map[string]string{}
		for _, l := range s.ready.Services {
			url[l.Name] = l.URL
		}
		fetch := func(args ...string) (string, error) {
			args = append([]string{"-q", "-sS", "--noproxy", "*", "-m", "20", "--cacert", s.ready.CAFile}, args...)
			out, err := exec.Command(curl, args...).Output()
			return strings.ReplaceAll(string(out), "\r", ""), err
		}
		for _, c := range []struct {
			scheme string
			args   []string
		}{
			{"ftp", []string{"-u", "ann:secret", url["ftp"] + "/greeting.txt"}},
			{"ftp", []string{"-u", "ann:secret", "--ssl-reqd", url["ftp"] + "/greeting.txt"}},
			{"ftps", []string{"-u", "ann:secret", url["ftps"] + "/greeting.txt"}},
			{"gopher", []string{url["gopher"] + "/0/greeting.txt"}},
			{"gophers", []string{url["gophers"] + "/0/greeting.txt"}},
		} {
			if !speaks(c.scheme) {
				t.Logf("this curl speaks no %s", c.scheme)
				continue
			}
			if got, err := fetch(c.args...); err != nil || !strings.HasPrefix(got, "hello from the root\n") {
				t.Errorf("%s: curl %v: %q, %v", engine, c.args, got, err)
			}
		}
		upload := filepath.Join(t.TempDir(), "up")
		if err := os.WriteFile(upload, []byte("by curl"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := fetch("-u", "ann:secret", "--ssl-reqd", "-T", upload, url["ftp"]+"/"+engine); err != nil {
			t.Errorf("%s: uploading: %v", engine, err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, engine)); err != nil || string(b) != "by curl" {
			t.Errorf("%s: %q, %v", engine, b, err)
		}
		if _, err := fetch("-u", "ann:wrong", url["ftp"]+"/greeting.txt"); err == nil || !strings.Contains(err.Error(), "67") {
			t.Errorf("%s: a wrong password: %v, want status 67", engine, err)
		}
	}
}
