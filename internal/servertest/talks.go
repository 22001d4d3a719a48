package servertest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// Scripts reads the scripts that fit patterns (filepath.Glob) such as
// testdata/talk/*.txt. There is at least one for each, or the test fails.
func Scripts(t TB, patterns ...string) []*transcript.Script {
	t.Helper()
	var all []*transcript.Script
	for _, pattern := range patterns {
		folder, names := filepath.Split(pattern)
		some, err := transcript.Files(os.DirFS(filepath.Clean(folder)), names)
		if err != nil {
			t.Fatalf("%v", err)
		}
		all = append(all, some...)
	}
	return all
}

// Play plays the client of a script, once, at a server that listens.
func Play(t transcript.TB, address string, s *transcript.Script) {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	defer nc.Close()
	if err := transcript.Play(t.Context(), nc, s, transcript.ClientSide); err != nil {
		t.Errorf("%v", err)
	}
}

// Say says something to a server, in memory, and no more, and gives what comes
// back until the server hangs up; err is how it did, nil for an end. A panic
// fails the test.
func Say(t TB, srv *server.Server, said []byte) (heard []byte, err error) {
	t.Helper()
	ours, theirs := transcript.Pipe()
	served, wrote := make(chan error, 1), make(chan struct{})
	go func() { served <- srv.Serve(context.Background(), transcript.Once(theirs)) }()
	go func() {
		defer close(wrote)
		if _, err := ours.Write(said); err == nil {
			_ = ours.CloseWrite() // fails where the server has hung up
		}
	}()
	heard, err = io.ReadAll(ours)
	ours.Close()
	<-wrote
	if failed := <-served; failed != nil && !errors.Is(failed, net.ErrClosed) { // nobody else will come
		t.Fatalf("the server: %v", failed)
	}
	if srv.Counters().Errors["panic"] > 0 {
		t.Fatalf("the server panics at %q", said)
	}
	return heard, err
}
