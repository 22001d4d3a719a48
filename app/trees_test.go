package app_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/gopher"
)

var bothEngines = []string{"goroutines", "events"}

// trust is TLS with the authority of the ready line alone.
func trust(t *testing.T, r app.Ready) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(r.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s has no certificate", r.CAFile)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// session opens a session of FTP; scheme is dial's.
func session(t *testing.T, r app.Ready, scheme string, at app.Listening) *ftp.Client {
	t.Helper()
	var o ftp.Options
	o.Dialer.TLS = trust(t, r)
	c, err := ftp.Dial(t.Context(), scheme+":"+at.Address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// entered is session with a login.
func entered(t *testing.T, r app.Ready, scheme string, at app.Listening, user, password string) *ftp.Client {
	t.Helper()
	c := session(t, r, scheme, at)
	if err := c.Login(t.Context(), user, password, ""); err != nil {
		t.Fatalf("%s %s: %v", scheme, user, err)
	}
	return c
}

func retrieve(ctx context.Context, c *ftp.Client, name string) (string, error) {
	b, err := c.Retrieve(ctx, name, ftp.RetrieveOptions{})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(b)
	return string(text), errors.Join(err, b.Close())
}

func store(ctx context.Context, c *ftp.Client, name, text string) error {
	_, err := c.Store(ctx, name, strings.NewReader(text), ftp.StoreOptions{})
	return err
}

// What ftp and ftps take, everyone sees, gopher and gophers too.
func TestOneTreeForAll(t *testing.T) {
	for _, engine := range bothEngines {
		r := run(t, app.Config{Engine: engine, Listen: at(t, "ftp=:0", "ftps=:0", "gopher=:0", "gophers=:0", "ftp=tls::0", "gopher=tls::0")})
		schemes := "ftp ftps ftps gopher gophers gophers"
		var got []string
		for _, s := range r.Services {
			scheme, address, _ := strings.Cut(s.URL, "://")
			if got = append(got, scheme); address != s.Address || s.Network != "tcp" {
				t.Errorf("%+v", s)
			}
		}
		if names := strings.Join(got, " "); names != schemes {
			t.Fatalf("%s, want %s", names, schemes)
		}
		for scheme, i := range map[string]int{"tcp": 0, "starttls": 0, "tls": 2} {
			c := entered(t, r, scheme, r.Services[i], "anybody", "anything")
			if err := store(t.Context(), c, scheme+".txt", "by "+scheme+"\n"); err != nil {
				t.Fatal(err)
			}
			if text, err := retrieve(t.Context(), c, "README.txt"); err != nil || !strings.Contains(text, "sample tree of farend") {
				t.Errorf("%s: %q, %v", scheme, text, err)
			}
		}
		browser := gopher.Client{Dialer: &dial.Dialer{TLS: trust(t, r)}}
		for _, s := range r.Services[3:] {
			u, err := gopher.ParseURL(s.URL + "/0/starttls.txt")
			if err != nil {
				t.Fatal(err)
			}
			reply, err := browser.Get(t.Context(), u)
			if err != nil {
				t.Fatalf("%s: %v", s.URL, err)
			}
			text, err := io.ReadAll(reply)
			reply.Close()
			if err != nil || strings.TrimSpace(string(text)) != "by starttls" {
				t.Errorf("%s: %q, %v", s.URL, text, err)
			}
		}
	}
}

// TestLoginRules has a server for each login: what comes after a refusal waits.
func TestLoginRules(t *testing.T) {
	logins := []string{"ann:secret", "ann:wrong", "ann:", "bob:o:o", "anonymous:me@here", "ftp:x", "eve:secret"}
	for _, c := range []struct {
		users map[string]string
		open  []string // to whom it is
	}{
		{nil, logins},
		{map[string]string{"ann": "secret", "bob": "o:o"}, []string{"ann:secret", "bob:o:o"}},
		{map[string]string{"anonymous": "me@here"}, []string{"anonymous:me@here"}},
	} {
		for _, login := range logins {
			t.Run(fmt.Sprintf("%d users, %s", len(c.users), login), func(t *testing.T) {
				t.Parallel()
				r := run(t, app.Config{Listen: at(t, "ftp=:0"), Users: c.users})
				name, password, _ := strings.Cut(login, ":")
				err := session(t, r, "tcp", r.Services[0]).Login(t.Context(), name, password, "")
				var refused ftp.Reply
				if open := slices.Contains(c.open, login); open && err != nil || !open && (!errors.As(err, &refused) || refused.Code != 530) {
					t.Errorf("open: %v; %v", open, err)
				}
			})
		}
	}
}

func TestRootIsWrittenOnlyIfWritable(t *testing.T) {
	for _, engine := range bothEngines {
		for _, writable := range []bool{false, true} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
				t.Log("no links here: ", err)
			}
			r := run(t, app.Config{Engine: engine, Listen: at(t, "ftp=:0"), Root: dir, Writable: writable})
			c := entered(t, r, "tcp", r.Services[0], "ann", "x")
			if text, err := retrieve(t.Context(), c, "old"); err != nil || text != "old" {
				t.Errorf("%q, %v", text, err)
			}
			if text, err := retrieve(t.Context(), c, "out"); err == nil {
				t.Errorf("a link led out of the root: %.20q", text)
			}
			err := store(t.Context(), c, "new", "new")
			b, readErr := os.ReadFile(filepath.Join(dir, "new"))
			if writable && (err != nil || string(b) != "new") || !writable && (err == nil || !errors.Is(readErr, fs.ErrNotExist)) {
				t.Errorf("writable %v: %v; %q, %v", writable, err, b, readErr)
			}
			if err := c.Delete(t.Context(), "old"); (err == nil) != writable {
				t.Errorf("writable %v: deleting: %v", writable, err)
			}
		}
	}
}

// A password that a client sends is nowhere but in its connection, however it
// was cut into packets.
func TestPasswordsAreHeardByNobody(t *testing.T) {
	const password = "hunter2!"
	for _, engine := range bothEngines {
		dir := t.TempDir()
		var heard notices
		cfg := app.Config{
			Engine: engine, Listen: at(t, "ftp=:0"), Transcript: dir, Users: map[string]string{"ann": password},
			Ears: []app.Ear{app.Explain(writerFunc(heard.add))}, Notice: heard.add,
		}
		t.Run(engine, func(t *testing.T) { // at its end everything is written
			r := run(t, cfg)
			for _, pieces := range [][]string{
				{"USER ann\r\nPASS " + password + "\r\nPWD\r\nQUIT\r\n"},
				{"USER ann\r\n", "PASS hun", "ter2!\r\n", "PWD\r\nQUIT\r\n"},
				{"user ann\r\n", "pass " + password + "\n", "quit\r\n"},
			} {
				if answers := inPieces(t, r.Services[0].Address, pieces); !strings.Contains(answers, "\n230 ") {
					t.Errorf("%q: %q", pieces, answers)
				}
			}
		})
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != 3 {
			t.Fatalf("%d transcripts, %v", len(files), err)
		}
		all := heard.String()
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
		for _, part := range []string{"hunter2", "hun", "ter2!", "68 75 6e 74", "68 75 6e"} {
			if strings.Contains(all, part) {
				t.Errorf("%s: %q was heard:\n%s", engine, part, all)
			}
		}
		if !strings.Contains(all, "PASS") || !strings.Contains(all, "Logged in") {
			t.Errorf("%s: the rest was not heard:\n%s", engine, all)
		}
	}
}

// inPieces says the pieces, after each whole line waits for an answer, and
// gives all that was answered.
func inPieces(t *testing.T, address string, pieces []string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	all, err := r.ReadString('\n')
	for _, p := range pieces {
		if err == nil {
			_, err = io.WriteString(c, p)
		}
		if err == nil && strings.HasSuffix(p, "\n") {
			var line string
			line, err = r.ReadString('\n')
			all += line
		}
	}
	rest, restErr := io.ReadAll(r)
	if err = errors.Join(err, restErr); err != nil {
		t.Errorf("%q: %v", pieces, err)
	}
	return all + string(rest)
}

type writerFunc func(string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// A fault with a verb strikes the connection for the data.
func TestFaultOnDataConnection(t *testing.T) {
	for _, engine := range bothEngines {
		r := run(t, app.Config{Engine: engine, Listen: at(t, "ftp=:0"), Faults: []string{"ftp RETR after=10 do=reset times=1"}})
		c := entered(t, r, "tcp", r.Services[0], "ann", "x")
		if text, err := retrieve(t.Context(), c, "README.txt"); err == nil || len(text) > 10 {
			t.Errorf("%s: %q, %v", engine, text, err)
		}
		c = entered(t, r, "tcp", r.Services[0], "ann", "x")
		if text, err := retrieve(t.Context(), c, "README.txt"); err != nil || len(text) < 100 {
			t.Errorf("%s: %q, %v", engine, text, err)
		}
	}
}

// passivePort asks a session for a data connection.
func passivePort(t *testing.T, c *ftp.Client) int {
	t.Helper()
	reply, err := c.Cmd(t.Context(), "EPSV", "")
	var port int
	if err == nil {
		_, err = fmt.Sscanf(reply.Text()[strings.Index(reply.Text(), "(|||")+4:], "%d", &port)
	}
	if err != nil {
		t.Fatalf("%v: %v", reply, err)
	}
	return port
}

func TestPassivePorts(t *testing.T) {
	few := ftp.PortRange{First: 21210, Last: 21259} // where the system gives none by itself
	r := run(t, app.Config{Listen: at(t, "ftp=:0"), PassivePorts: few})
	if got := passivePort(t, entered(t, r, "tcp", r.Services[0], "ann", "x")); got < int(few.First) || got > int(few.Last) {
		t.Errorf("data at %d, want one of %v", got, few)
	}
	r = run(t, app.Config{Listen: at(t, "ftp=:0")})
	if got := passivePort(t, entered(t, r, "tcp", r.Services[0], "ann", "x")); got >= 2122 && got <= 2131 {
		t.Errorf("data at %d, though ftp listens at a free port", got)
	}
}

func TestLoginsBeyondLoopback(t *testing.T) {
	for listen, wide := range map[string]bool{
		"ftp=0.0.0.0:0": true, "ftps=0.0.0.0:0": true, "ftp=tls:0.0.0.0:0": true, "ftp=192.0.2.7:0": true,
		"ftp=localhost:0": false, "gopher=0.0.0.0:0": false, "echo=tcp:0.0.0.0:0": false,
	} {
		a, err := app.Listen(t.Context(), app.Config{Listen: at(t, listen)})
		if err == nil {
			a.Close()
		}
		if wide != isConfigError(err) || !wide && err != nil || wide && !strings.Contains(err.Error(), "--user") {
			t.Errorf("%s: %v", listen, err)
		}
	}
	a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "ftp=0.0.0.0:0"), Users: map[string]string{"ann": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
}

func TestTreesRefused(t *testing.T) {
	for text, word := range map[string]string{
		`root = "/no/such/directory"`:             "root /no/such/directory: no such file or directory",
		`root = "` + os.Args[0] + `"`:             "not a directory",
		`user = "swordfish"`:                      "want NAME:PASSWORD",
		`user = 1234567`:                          "want texts in quotes",
		`user = [true]`:                           "want texts in quotes",
		`user = ":swordfish"`:                     "name of a user is missing",
		`user = "ann:"`:                           "password is missing",
		`user = ["ann:swordfish", "ann:1234567"]`: "twice",
		"user = \"ann:sword\\nfish\"":             "line end",
		`passive-ports = "2131-2122"`:             "no range of ports",
		`passive-ports = "0"`:                     "no range of ports",
		`passive-ports = "1-65536"`:               "no range of ports",
		`writable = "perhaps"`:                    "neither true nor false",
		`passive_ports = "1-2"`:                   "did you mean passive-ports?",
	} {
		s, err := app.FromFile(settingsFile(t, text))
		var cfg app.Config
		if err == nil {
			cfg, err = s.Config()
		}
		if err == nil {
			cfg.Listen = at(t, "ftp=:0")
			var a *app.App
			if a, err = app.Listen(t.Context(), cfg); err == nil {
				a.Close()
			}
		}
		if !isConfigError(err) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", text, err, word)
			continue
		}
		if said := err.Error(); strings.Contains(said, "fish") || strings.Contains(said, "1234567") || strings.Contains(said, "\n") {
			t.Errorf("%s: %q", text, said)
		}
	}
}

func TestSettingsOfTrees(t *testing.T) {
	environ, _ := app.FromEnviron([]string{"FAREND_USER=ann:a:b bob:c", "FAREND_ROOT=/srv", "FAREND_WRITABLE=true", "FAREND_PASSIVE_PORTS=3000-3009"})
	c, err := environ.Config()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Users) != 2 || c.Users["ann"] != "a:b" || c.Users["bob"] != "c" || c.Root != "/srv" || !c.Writable || c.PassivePorts != (ftp.PortRange{First: 3000, Last: 3009}) {
		t.Errorf("%+v", c)
	}
	file, err := app.FromFile(settingsFile(t, "user = ['ann:with a blank']\nwritable = true\npassive-ports = '4000'\nroot = '.'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = file.Config(); err != nil || c.Users["ann"] != "with a blank" || !c.Writable || c.PassivePorts != (ftp.PortRange{First: 4000, Last: 4000}) || c.Root != "." {
		t.Errorf("%+v, %v", c, err)
	}
}
