package main

import (
	"context"
	"io"
	"os"
	"os/exec"

	"github.com/farend-go/farend/proto/smtp"
	framework "github.com/farend-go/farend/server"
)

// sinkOf is what runs in a process of its own, as `wild sink ADDRESS`: a server
// of SMTP that keeps nothing, as smtp-sink does. The binary has none.
func sinkOf(address string) error {
	s := framework.Server{Handler: &smtp.Handler{Backend: sink{}}, Engine: framework.Events()}
	return s.ListenAndServe(context.Background(), address)
}

// startSink starts it.
func startSink(ctx context.Context, _ *lab, dir string) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return began(ctx, exec.CommandContext(ctx, self, "sink", "127.0.0.1:"+port), port, "", dir)
}

// sink takes every message and forgets it.
type sink struct{}

func (sink) Mail(context.Context, smtp.Sender, smtp.Peer) (smtp.Transaction, error) {
	return sink{}, nil
}

func (sink) Traits() smtp.Traits { return smtp.Traits{Pace: smtp.Prompt} }

func (sink) Rcpt(context.Context, smtp.Recipient) error { return nil }

func (sink) Body(_ context.Context, r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func (sink) Commit(context.Context) error { return nil }

func (sink) Abort() {}
