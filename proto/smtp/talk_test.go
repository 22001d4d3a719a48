package smtp_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/server"
)

// office is the Backend of the transcripts: Green is unknown, Jones' mailbox is
// full.
type office struct{ *smtptest.Mailroom }

func newOffice() office {
	return office{&smtptest.Mailroom{
		Rcpt: func(to smtp.Mailbox) error {
			if strings.EqualFold(to.Local, "green") {
				return smtp.ErrNoMailbox
			}
			return nil
		},
		Ask: func(m smtptest.Message) error {
			if m.Peer.Kind != smtp.LMTP {
				return nil
			}
			var results smtp.Results
			for _, to := range m.To {
				if to.Mailbox.Local == "jones" {
					results = append(results, smtp.ErrFull)
				} else {
					results = append(results, nil)
				}
			}
			return results
		},
	}}
}

func (office) Verify(_ context.Context, name string, _ smtp.Peer) ([]string, error) {
	switch name {
	case "Crispin":
		return []string{"Mark Crispin <Admin.MRC@foo.com>"}, nil
	case "Smith":
		return []string{"Joe Smith <jsmith@foo.com>", "Harry Smith <hsmith@foo.com>"}, nil
	}
	return nil, nil
}

func (office) Expand(_ context.Context, list string, _ smtp.Peer) ([]string, error) {
	if list == "Example-People" {
		return []string{"Jon Postel <Postel@isi.edu>", "Sam Q. Smith <SQSmith@specific.generic.com>"}, nil
	}
	return nil, smtp.Reply{Code: 550, Status: smtp.Status{5, 7, 1}, Text: "Access denied to you"}
}

func (office) Turn(_ context.Context, node string, _ smtp.Peer) error {
	switch node {
	case "@example.org":
		return smtp.Reply{Code: 253, Status: smtp.Status{2, 0, 0}, Text: "14 messages for node example.org started"}
	case "uu.net":
		return smtp.Reply{Code: 458, Status: smtp.Status{4, 3, 0}, Text: "Unable to queue messages for node uu.net"}
	}
	return nil
}

func talkServer(kind smtp.Kind) *server.Server {
	return &server.Server{Handler: &smtp.Handler{
		Backend: newOffice(), Kind: kind, Hostname: "mail.example",
		Limits: smtp.Limits{Message: 1000, Recipients: 9},
	}, Limits: server.Limits{Turn: patience, Idle: patience}}
}

// folders are those of the transcripts, and the kind of server they talk to.
var folders = map[string]smtp.Kind{"testdata/talk": smtp.SMTP, "testdata/lmtp": smtp.LMTP}

func TestTranscripts(t *testing.T) {
	for folder, kind := range folders {
		for _, script := range servertest.Scripts(t, folder+"/*.txt") {
			t.Run(script.Name, func(t *testing.T) {
				transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
					return talkServer(kind).Serve(ctx, transcript.Once(nc))
				})
			})
		}
	}
}

// TestTranscriptsOnEvents plays them once, over a socket.
func TestTranscriptsOnEvents(t *testing.T) {
	for folder, kind := range folders {
		srv := talkServer(kind)
		srv.Engine = server.Events()
		addr := servertest.Serve(t, srv)
		for _, script := range servertest.Scripts(t, folder+"/*.txt") {
			t.Run(script.Name, func(t *testing.T) {
				servertest.Play(t, addr, script)
			})
		}
	}
}
