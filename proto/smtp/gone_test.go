package smtp_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/server"
)

// waiting is a Backend whose Rcpt waits, and that tells when a Transaction ends.
type waiting struct {
	at, on chan struct{}
	over   chan string
}

func (w waiting) Mail(context.Context, smtp.Sender, smtp.Peer) (smtp.Transaction, error) {
	return w, nil
}

func (w waiting) Rcpt(context.Context, smtp.Recipient) error {
	close(w.at)
	<-w.on
	return nil
}

func (w waiting) Body(_ context.Context, r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func (w waiting) Commit(context.Context) error {
	w.over <- "Commit"
	return nil
}

func (w waiting) Abort() { w.over <- "Abort" }

// A Transaction ends by Commit or Abort also where the peer is found to have gone
// when the whole message lies here.
func TestPeerGoneBeforeCommit(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			w := waiting{make(chan struct{}), make(chan struct{}), make(chan string, 2)}
			addr := servertest.Serve(t, &server.Server{Engine: engine, Handler: &smtp.Handler{Backend: w}})
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.WriteString(nc, "EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nBDAT 3 LAST\r\nabc")
			if err != nil {
				t.Fatal(err)
			}
			<-w.at
			_ = nc.(*net.TCPConn).SetLinger(0) // reset it
			nc.Close()
			close(w.on)
			select {
			case <-w.over:
			case <-time.After(10 * time.Second):
				t.Error("it did not end")
			}
		})
	}
}
