package ftp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/fstest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/server"
)

// noted are the files of the transcripts.
func noted() ftp.Files {
	at := time.Date(1998, 6, 15, 10, 0, 45, 0, time.UTC)
	return ftp.ReadOnly(fstest.MapFS{
		"file1":     {Data: []byte("hello\n"), Mode: 0o644, ModTime: at},
		`quo"ted/x`: {Data: []byte("x"), Mode: 0o600, ModTime: at},
	})
}

// onlyAnonymous lets nobody else in.
type onlyAnonymous struct{ files ftp.Files }

func (o onlyAnonymous) Login(_ context.Context, c ftp.Credentials) (ftp.Files, error) {
	if c.User != "anonymous" {
		return nil, ftp.ErrLogin
	}
	return o.files, nil
}

func TestTranscripts(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				srv := &server.Server{Handler: &ftp.Handler{Backend: onlyAnonymous{noted()}}}
				return srv.Serve(ctx, transcript.Once(nc))
			})
		})
	}
}

// TestTranscriptsOnEvents plays them once, over a socket.
func TestTranscriptsOnEvents(t *testing.T) {
	addr := servertest.Serve(t, &server.Server{Handler: &ftp.Handler{Backend: onlyAnonymous{noted()}}, Engine: server.Events()})
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			servertest.Play(t, addr, script)
		})
	}
}

// clientTalk is RFC 959's scenario, as a client without FEAT, EPSV and UTF-8
// meets it.
const clientTalk = `
S: 120 in a moment
S: 220-Service
S:  ready
S: 220 now
C: USER Doe
S: 331 User name ok, need password
C: PASS ***
S: 332 Need account
C: ACCT ***
S: 230 User logged in
C: FEAT
S: 500 what?
C: TYPE I
S: 200 Command OK
C: EPSV
S: 502 no
C: PASV
S: 227 Entering Passive Mode (10,1,2,3,4,5)
C: REST 2
S: 350 ok
C: RETR test.pl1
S: 150 File status okay; about to open data connection
S: 226 Closing data connection, file transfer successful
C: PASV
S: 227 =192,168,0,1,4,6
C: STOR >udd>cn>fd
S: 550 Access denied
C: MKD a"b
S: 257 "/u/a""b" directory created
C: PASV
S: 227 Entering Passive Mode (10,1,2,3,4,7)
C: RETR other
S: 150 here
S: 426 Broken
C: QUIT
S: 221 bye
`

func TestClientTranscript(t *testing.T) {
	script, err := transcript.Parse("client", clientTalk)
	if err != nil {
		t.Fatal(err)
	}
	transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
		var asked []string
		o := ftp.Options{DialData: func(_ context.Context, address string) (net.Conn, error) {
			asked = append(asked, address)
			ours, theirs := transcript.Pipe()
			if _, err := theirs.Write([]byte("data")); err != nil {
				return nil, err
			}
			return ours, theirs.Close()
		}}
		return doe(ctx, nc, o, &asked)
	})
}

// doe does what clientTalk has the client do.
func doe(ctx context.Context, nc net.Conn, o ftp.Options, asked *[]string) error {
	c, err := ftp.NewClient(ctx, conv.New(nc, conv.Options{}), o)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, "Doe", "mumble", "acct"); err != nil {
		return err
	}
	if got, err := fetch(ctx, c, "test.pl1", ftp.RetrieveOptions{Offset: 2}); err != nil || got != "data" {
		return errors.Join(errors.New("RETR: "+got), err)
	}
	if len(*asked) != 1 || (*asked)[0] != "10.1.2.3:1029" { // a pipe has no address to prefer
		return errors.New("data came from elsewhere")
	}
	if _, err := c.Store(ctx, ">udd>cn>fd", io.MultiReader(), ftp.StoreOptions{}); !isReply(err, 550) {
		return errors.Join(errors.New("STOR"), err)
	}
	if err := c.Mkdir(ctx, `a"b`); err != nil {
		return err
	}
	if got, err := fetch(ctx, c, "other", ftp.RetrieveOptions{}); !isReply(err, 426) || got != "data" {
		return errors.Join(errors.New("a transfer that failed: "+got), err)
	}
	return c.Quit(ctx)
}

func mapOf(name, content string) fstest.MapFS {
	return fstest.MapFS{name: {Data: []byte(content), Mode: 0o644}}
}
