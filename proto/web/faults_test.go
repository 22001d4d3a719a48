package web_test

import (
	"context"
	"crypto/tls"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// Both ends over connections that misbehave, by seeds: a download is right or
// an error, an upload is whole or not there, and everything ends.
func TestUnderFaults(t *testing.T) {
	var wg sync.WaitGroup
	for seed := range uint64(24) {
		config := tlsConfig(t)
		if seed%2 == 0 {
			config = nil
		}
		wg.Go(func() { underFaults(t, seed, config) })
	}
	wg.Wait()
}

func underFaults(t *testing.T, seed uint64, config *tls.Config) {
	content := strings.Repeat(digits, 1000)
	tree := filetree.Memory(filetree.Options{})
	s := &web.FileServer{Files: files.Web(tree, true)}
	if r := ask(t, s, "PUT", "/f", nil, content); r.StatusCode != 201 {
		t.Error(r.Status)
	}
	rules := faults.Mix(seed)
	limits := server.Limits{Turn: time.Second, Idle: time.Second, Drain: time.Second}
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: s}, TLS: config, Layers: []conv.Layer{faults.Layer(rules...)}, Limits: limits})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, got, err := download(ctx, web.Download{Client: r.Client, URL: r.URL + "/f", Pause: -1, Retries: 2})
	garbled := false
	for _, rule := range rules { // in clear nobody can tell
		garbled = garbled || rule.Do == faults.Garble && config == nil
	}
	if err == nil && got != content && !garbled {
		t.Errorf("seed %d: %d bytes and no error; rules %v", seed, len(got), rules)
	}
	if upload(ctx, r, content) == nil && !garbled {
		if up, err := fs.ReadFile(tree, "up"); err != nil || string(up) != content {
			t.Errorf("seed %d: said it was there: %d bytes, %v; rules %v", seed, len(up), err, rules)
		}
	}
	r.stop()
	if up, err := fs.ReadFile(tree, "up"); err == nil && len(up) != len(content) && !garbled {
		t.Errorf("seed %d: half a file of %d bytes is there; rules %v", seed, len(up), rules)
	}
}

func upload(ctx context.Context, r *running, content string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.URL+"/up", strings.NewReader(content))
	if err != nil {
		return err
	}
	resp, err := r.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return web.Status(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
