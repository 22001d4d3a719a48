package cli

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryShellGetsItsCompletions(t *testing.T) {
	for _, shell := range shells {
		got := farend(t, "", "completion", shell)
		if got.code != 0 || !strings.Contains(got.out, "__complete") || got.err != "" {
			t.Errorf("%s: status %d, %d bytes, %q", shell, got.code, len(got.out), got.err)
		}
		path, err := exec.LookPath(shell)
		if err != nil || shell == "powershell" {
			continue
		}
		check := exec.CommandContext(t.Context(), path, "-n")
		check.Stdin = strings.NewReader(got.out)
		if said, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v: %s", shell, err, said)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}} {
		if got := farend(t, "", args...); got.code != 2 || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestCompletionsAskFarend(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "s.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(filepath.Join(dir, "s.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
		not  string
	}{
		{[]string{"talk", ""}, "tcp:\t", "starttls"}, {[]string{"talk", "u"}, "udp:\t", "tcp:"},
		{[]string{"talk", "udp:"}, "udp:localhost:50007\techo", "greet"}, {[]string{"talk", "tcp:localhost:1"}, "12345\tgreet", "50007"},
		{[]string{"talk", "unix:" + dir + "/s"}, "s.sock", "s.txt"}, {[]string{"talk", "tcp:a:1", ""}, ":", "udp"},
		{[]string{"serve", "e"}, "echo\t", "greet"}, {[]string{"serve", "echo", ""}, "greet\t", "echo\t"},
		{[]string{"completion", "z"}, "zsh", "bash"}, {[]string{"addr", "h", "ht"}, "https", "smtp"},
	} {
		got := farend(t, "", append([]string{"__complete"}, c.args...)...)
		if got.code != 0 || !strings.Contains(got.out, c.want) || strings.Contains(got.out, c.not) {
			t.Errorf("%q: %q, want %q and no %q", c.args, got.out, c.want, c.not)
		}
	}
}
