package transcript_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
)

// talk is a short conversation as a server's tap hears it.
func talk(tap conv.Tap) {
	hear := func(ours bool, text string) {
		tap.Hear(conv.Utterance{Time: time.Now(), Ours: ours, Bytes: []byte(text)})
	}
	tap.Hear(conv.Utterance{Time: time.Now(), Event: conv.Opened})
	hear(true, "220 ready\r\n")
	hear(false, "US")
	hear(false, "ER ann\r\nPASS ")
	tap.Hear(conv.Utterance{Time: time.Now(), Secret: true, Hidden: 5, Bytes: []byte("***")})
	tap.Hear(conv.Utterance{Time: time.Now(), Secret: true, Hidden: 5, Bytes: []byte("***")})
	hear(true, "230 in ***\r\nodd\x00\xff\n\x1b[2Jno end ")
	hear(false, "QUIT\r\n")
	tap.Hear(conv.Utterance{Time: time.Now(), Event: conv.Ended})
	tap.Hear(conv.Utterance{Time: time.Now(), Event: conv.Closed})
}

func TestRecorderText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		r := transcript.NewRecorder(&b, transcript.Text, transcript.ServerSide, "ftp #1, two\nlines\x1b")
		time.Sleep(1500 * time.Millisecond) //nolint:forbidigo // synctest's clock
		r.Note("FAULT 1/1")
		talk(r)
		r.Note("too late")
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		want := `   0.000 # ftp #1, two
   0.000 # lines\x1b
   1.500 # FAULT 1/1
   1.500 # opened
   1.500 S: 220 ready
   1.500 C: USER ann
   1.500 C: PASS ***
   1.500 S: 230 in \*\*\*
   1.500 S: odd\x00\xff\n\c
   1.500 S: \x1b[2Jno end \c
   1.500 C: QUIT
   1.500 C.
   1.500 S.
`
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", b.String(), want)
		}
	})
}

// TestRecordingPlays plays a recording from both sides.
func TestRecordingPlays(t *testing.T) {
	var b bytes.Buffer
	talk(transcript.NewRecorder(&b, transcript.Text, transcript.ServerSide, "ftp"))
	s, err := transcript.Parse("recording", b.String())
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := transcript.Pipe()
	done := make(chan error, 1)
	go func() { done <- transcript.Play(t.Context(), theirs, s, transcript.ServerSide) }()
	err = transcript.Play(t.Context(), ours, s, transcript.ClientSide)
	if err := errors.Join(err, <-done); err != nil {
		t.Error(err)
	}
	said, err := s.Said(transcript.ServerSide)
	if err != nil || string(said) != "220 ready\r\n230 in ***\r\nodd\x00\xff\n\x1b[2Jno end " {
		t.Errorf("%q, %v", said, err)
	}
}

func TestRecorderJSON(t *testing.T) {
	var b bytes.Buffer
	r := transcript.NewRecorder(&b, transcript.JSONLines, transcript.ClientSide, "ftp")
	talk(r)
	var got []string
	for line := range strings.Lines(b.String()) {
		var o struct {
			Who, Title, Event, Said string
			Data                    []byte
			Secret                  int
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, fmt.Sprint(o.Who, o.Title, o.Event, o.Said, string(o.Data), o.Secret))
	}
	want := []string{
		"ftp0", "opened0", "C220 ready\r\n0", "SUS0", "SER ann\r\nPASS 0", "S5", "S5",
		"C230 in ***\r\nodd\x00\xff\n\x1b[2Jno end 0", "SQUIT\r\n0", "Sended0", "Cended0",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if strings.Contains(b.String(), "secret\":\"") {
		t.Error("a secret is a text")
	}
}

func TestRecorderLongLines(t *testing.T) {
	var b bytes.Buffer
	r := transcript.NewRecorder(&b, transcript.Text, transcript.ClientSide, "long")
	body := strings.Repeat("x", 5000) + "\r\n.\r\n"
	r.Hear(conv.Utterance{Ours: true, Bytes: []byte(body)})
	r.Close()
	s, err := transcript.Parse("long", b.String())
	if err != nil {
		t.Fatal(err)
	}
	if said, err := s.Said(transcript.ClientSide); err != nil || string(said) != body {
		t.Errorf("%d bytes, %v", len(said), err)
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 1100 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestRecorderTellsWhatFailed(t *testing.T) {
	r := transcript.NewRecorder(broken{}, transcript.Text, transcript.ClientSide, "x")
	talk(r)
	if err := r.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "dir")
	for run := range 2 { // the second run leaves the first one's files alone
		d := &transcript.Dir{Path: path}
		if err := d.Check(); err != nil { // which leaves nothing there
			t.Fatal(err)
		}
		for range 2 {
			r, err := d.Create("smtp", transcript.ServerSide, fmt.Sprint("run ", run))
			if err != nil {
				t.Fatal(err)
			}
			talk(r)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "smtp-0001.txt smtp-0002.txt smtp-0003.txt smtp-0004.txt" {
		t.Fatal(got)
	}
	first, err := os.ReadFile(filepath.Join(path, "smtp-0001.txt"))
	if err != nil || !strings.Contains(string(first), "run 0") || strings.Contains(string(first), "run 1") {
		t.Errorf("%s, %v", first, err)
	}
	file := filepath.Join(path, "smtp-0001.txt")
	d := &transcript.Dir{Path: file}
	if _, err := d.Create("x", transcript.ServerSide, ""); err == nil || d.Check() == nil {
		t.Error("a file is no directory")
	}
}

// TestRecorderHearsAConn records both ends of a real conversation alike.
func TestRecorderHearsAConn(t *testing.T) {
	var client, server bytes.Buffer
	a, b := transcript.Pipe()
	c := conv.New(a, conv.Options{Tap: transcript.NewRecorder(&client, transcript.Text, transcript.ClientSide, "x")})
	s := conv.New(b, conv.Options{Tap: transcript.NewRecorder(&server, transcript.Text, transcript.ServerSide, "x")})
	done := make(chan error, 1)
	go func() {
		_, err := s.R.Line()
		err = errors.Join(err, s.W.LineString("+OK"))
		_, end := s.R.Line()
		if end != io.EOF {
			err = errors.Join(err, end)
		}
		done <- err
	}()
	c.W.LineString("NOOP")
	if _, err := c.R.Line(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.Close()
	said := func(b *bytes.Buffer) string {
		parsed, err := transcript.Parse("x", b.String())
		if err != nil {
			t.Fatal(err)
		}
		return parsed.String()
	}
	if got := said(&server); got != "C: NOOP\nS: +OK\nC.\n" {
		t.Errorf("the server heard %q", got)
	}
	if got := said(&client); got != "C: NOOP\nS: +OK\n" {
		t.Errorf("the client heard %q", got)
	}
}
