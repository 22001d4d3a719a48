package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServeTreesReadyLine(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		s := startServe(t, nil, "--engine", engine, "--listen", "ftp=:0", "--listen", "ftps=:0", "--listen", "gopher=:0", "--listen", "gophers=:0")
		if _, err := os.Stat(s.ready.CAFile); err != nil {
			t.Error("no certificate authority: ", err)
		}
		var names []string
		for _, l := range s.ready.Services {
			names = append(names, l.Name)
			if l.Network != "tcp" || l.URL != l.Name+"://"+l.Address {
				t.Errorf("%+v", l)
			}
		}
		if got := strings.Join(names, " "); got != "ftp ftps gopher gophers" {
			t.Error(got)
		}
		if got := s.talk("gopher", "/README.txt\r\n"); !strings.HasPrefix(got, "This is the sample tree") || !strings.HasSuffix(got, "\r\n.\r\n") {
			t.Errorf("%s: %q", engine, got)
		}
		c := s.dial("ftp")
		if _, err := io.WriteString(c, "USER ann\r\nPASS x\r\nQUIT\r\n"); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if got := string(b); err != nil || !strings.Contains(got, "\n230 ") || !strings.Contains(got, "\n221 ") {
			t.Errorf("%s: %q, %v", engine, got, err)
		}
	}
}

func TestServeTreesRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"--root " + file, "root " + file + ": not a directory"},
		{"--root " + filepath.Join(dir, "none"), "root " + filepath.Join(dir, "none") + ": no such file or directory"},
		{"--user swordfish", "--user: no colon in it: want NAME:PASSWORD"},
		{"--user :swordfish", "--user: the name of a user is missing: want NAME:PASSWORD"},
		{"--user ann:swordfish --user ann:x", `--user: user "ann" is there twice`},
		{"--passive-ports 9-1", `--passive-ports: "9-1" is no range of ports, as in 2122-2131`},
		{"--passive-ports data", `--passive-ports: "data" is no range of ports, as in 2122-2131`},
		{"--listen ftp=0.0.0.0:0", "ftp at 0.0.0.0: anybody could log in from elsewhere; name who may with --user NAME:PASSWORD"},
	} {
		code, out, said := mainOf(t, append([]string{"serve", "ftp", "--listen", "ftp=:0"}, strings.Fields(c.args)...)...)
		if code != 2 || out != "" || said != "farend: serve: "+c.want+"\n" {
			t.Errorf("%s: status %d, %q, %q; want %q", c.args, code, out, said, c.want)
		}
	}
}

func TestTryLines(t *testing.T) {
	for _, c := range []struct{ command, url, ca, want string }{
		{"echo hello | farend talk %s", "tcp://h:1", "", "echo hello | farend talk tcp:h:1"},
		{"curl %s/", "ftp://h:1", "/ca", "curl ftp://h:1/"},
		{"curl --cacert CA_FILE %s/", "ftps://h:1", "/ca", "curl --cacert /ca ftps://h:1/"},
		{"curl --cacert CA_FILE %s/", "ftps://h:1", "", "curl ftps://h:1/"},
		{"curl %s/", "ftps://h:1", "/ca", "curl --cacert /ca ftps://h:1/"}, // of --listen ftp=tls::1
		{"echo hello | farend talk %s", "tls://h:1", "/ca", "echo hello | farend talk --cacert /ca tls:h:1"},
		{"farend talk %s", "tls://h:1", "", "farend talk tls:h:1"},
	} {
		if got := tryLine(c.command, c.url, c.ca); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
