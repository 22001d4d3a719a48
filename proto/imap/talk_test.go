package imap_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// users lets mrc in, with the password secret; keys take long to make.
var users = sync.OnceValue(func() *auth.Authenticator {
	return &auth.Authenticator{Delay: -1, Accounts: &auth.Users{Secrets: map[string]auth.Secret{
		"mrc": auth.Clear("secret"), "ann": auth.Clear("secret"),
	}}}
})

// gray is RFC 9051 section 8's message, nearly.
const gray = `Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev2 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.ed>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

It was decided.
Nobody remembers what.
`

const note = `From: Fred <fred@example.com>
To: mrc@example.com
Subject: afternoon meeting
Date: Mon, 7 Feb 1994 21:52:25 -0800

Hello Joe, do you think we can meet at 3:30 tomorrow?
`

const parts = `From: a@example.com
To: b@example.com
Subject: Re: afternoon meeting
Date: Tue, 8 Feb 1994 09:00:00 +0000
Message-ID: <2@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b1"

preamble
--b1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

R3LDvMOfZQ==
--b1
Content-Type: message/rfc822

From: c@example.com
Subject: inside
Content-Type: multipart/alternative; boundary=b2

--b2

plain
--b2
Content-Type: text/html

<p>html</p>
--b2--
--b1--
`

// filled is a toy with three messages in INBOX, and some mailboxes.
func filled() *toy {
	t := newToy()
	t.put("mrc", "INBOX", gray, note, parts)
	a := t.account("mrc")
	for _, name := range []string{"Archive", "Archive/2023", "Sent", "Work/A/B"} {
		a.make(name)
	}
	a.boxes["Sent"].use = []string{imap.UseSent}
	a.subs["INBOX"], a.subs["Archive/2023"], a.subs["Lost"] = true, true, true
	return t
}

func handler(b imap.Backend) *imap.Handler { return &imap.Handler{Backend: b, Auth: users()} }

func TestTranscripts(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		said, err := script.Said(transcript.ClientSide)
		if err != nil {
			t.Fatal(err)
		}
		if slow && len(said) > 250 { // the work grows with the square; on events they are played all
			continue
		}
		t.Run(script.Name, func(t *testing.T) {
			t.Parallel()
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				srv := &server.Server{Handler: handler(filled())}
				return srv.Serve(ctx, transcript.Once(nc))
			})
		})
	}
}

// TestTranscriptsOnEvents plays them once, over a socket.
func TestTranscriptsOnEvents(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			addr := servertest.Serve(t, &server.Server{Handler: handler(filled()), Engine: server.Events()})
			servertest.Play(t, addr, script)
		})
	}
}
