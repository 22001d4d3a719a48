package web_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// The transcripts at our server, cut at every byte.
func TestServerTalks(t *testing.T) {
	files := &web.FileServer{Files: web.ReadOnly(fstest.MapFS{"f": {Data: []byte(digits), ModTime: written}})}
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				return (&server.Server{Handler: &web.Handler{HTTP: files}}).Serve(ctx, &only{Listener: transcript.Once(nc)})
			})
		})
	}
}

// The one of a download at ours.
func TestClientTalks(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/resume.txt") {
		transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
			transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nc, nil }}
			defer transport.CloseIdleConnections()
			v := web.Validator{ETag: web.ETag{Opaque: tagOfDigits}}
			d := web.Download{Client: &http.Client{Transport: transport}, URL: "http://h/f", From: 4, Validator: v, Retries: -1}
			body, got, err := download(ctx, d)
			if err == nil && (got != "456789" || body.From != 4) {
				err = fmt.Errorf("%q from %d", got, body.From)
			}
			return err
		})
	}
}

// tagOfDigits is made of the content: the tree of the transcripts has no inodes.
const tagOfDigits = "hNiYd_DUBB77a_kaFvAk"
