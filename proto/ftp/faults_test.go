package ftp_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/server"
)

// TestUnderFaults has both ends talk over connections that misbehave, by seeds:
// each call gives the right answer or an error, and an upload is whole or not
// there.
func TestUnderFaults(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 500)
	for seed := range uint64(40) {
		rules := faults.Mix(seed)
		s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": content}, Server: func(srv *server.Server) {
			srv.Layers = []conv.Layer{faults.Layer(rules...)}
			srv.Limits.Turn, srv.Limits.Idle, srv.Limits.Drain = time.Second, time.Second, time.Second
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		got, err := faulty(ctx, s, content)
		cancel()
		if err == nil && got != content {
			t.Errorf("seed %d: %d bytes and no error; rules %v", seed, len(got), rules)
		}
		if up, statErr := fs.ReadFile(s.Tree, "up"); statErr == nil && string(up) != content {
			t.Errorf("seed %d: half a file of %d bytes is there; rules %v", seed, len(up), rules)
		}
	}
}

func faulty(ctx context.Context, s *ftptest.Server, content string) (string, error) {
	c, err := ftp.Dial(ctx, s.Endpoint("tcp"), s.Options())
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.Login(ctx, ftptest.User, ftptest.Password, ""); err != nil {
		return "", err
	}
	if _, err := c.Store(ctx, "up", strings.NewReader(content), ftp.StoreOptions{}); err != nil {
		return "", err
	}
	if _, err := c.List(ctx, ""); err != nil {
		return "", err
	}
	return fetch(ctx, c, "f", ftp.RetrieveOptions{})
}

// TestDataUnderFaults lets data connections break at an exact byte.
func TestDataUnderFaults(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 10_000)
	for _, do := range []faults.Deed{faults.Reset, faults.Close, faults.Cut, faults.Truncate} {
		for _, scheme := range []string{"tcp", "starttls"} {
			rule := faults.Rule{Verb: "RETR", After: 70_000, Do: do, Dir: faults.Out, Times: 1}
			s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": content}, Faults: []faults.Rule{rule}})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			c := s.Client(ctx, t, scheme, s.Options())
			if got, err := fetch(ctx, c, "f", ftp.RetrieveOptions{Size: int64(len(content))}); err == nil {
				t.Errorf("%s %s: %d bytes and no error", do, scheme, len(got))
			}
			cancel()
		}
	}
}
