//go:build interop && linux

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
)

// The page's two commands in a shell, the server in the background and then
// the client: with ours at both ends, and with the page's program at either.
func TestTutorial42_ThePagesTwoCommands(t *testing.T) {
	client := greetClient(t)
	server := foreign.Page(t, "002*", "#!/usr/bin/python           # This is server.py", "Un semplice cliente")
	farend := filepath.Join(t.TempDir(), "farend")
	if out, err := exec.Command("go", "build", "-o", farend, "../../cmd/farend").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ours := farend + " serve greet --quiet"
	theirs := client[0] + " -u " + server
	talk := farend + " talk tcp:$(hostname):12345"
	for _, c := range []struct{ name, server, client, want string }{
		{"ours with ours", ours, talk, "Thank you for connecting"},
		{"ours with the page's", ours, client[0] + " " + client[1], "Thank you for connecting\n"},
		{"the page's with ours", theirs, talk, "Thank you for connecting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ownHost(t, "127.0.0.1")
			// The page lets a person wait for the server; the script asks until it is there.
			script := c.server + ` >server.out 2>&1 &
				trap "kill $!" EXIT
				i=0; until ` + c.client + ` </dev/null 2>client.err; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done`
			cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil || string(out) != c.want {
				said, _ := os.ReadFile(filepath.Join(cmd.Dir, "server.out")) // for the message only
				t.Errorf("the client printed %q, %v; the server %q", out, err, said)
			}
		})
	}
}
