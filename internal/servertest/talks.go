package servertest

import (
	"net"
	"os"
	"path/filepath"

	"github.com/farend-go/farend/conv/transcript"
)

// Scripts reads the scripts that fit a pattern (filepath.Glob), such as
// testdata/talk/*.txt. There is at least one, or the test fails.
func Scripts(t TB, pattern string) []*transcript.Script {
	t.Helper()
	folder, names := filepath.Split(pattern)
	all, err := transcript.Files(os.DirFS(filepath.Clean(folder)), names)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return all
}

// Play plays the client of a script, once, at a server that listens.
func Play(t transcript.TB, address string, s *transcript.Script) {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	defer nc.Close()
	if err := transcript.Play(t.Context(), nc, s, transcript.ClientSide); err != nil {
		t.Errorf("%v", err)
	}
}
