package talk_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/cli/talk"
	"github.com/farend-go/farend/internal/testcert"
)

// held is a conversation at a screen, and its far end.
type held struct {
	*screen
	far  net.Conn
	in   *bufio.Reader // what far reads
	done chan error
}

func hold(t *testing.T, width int, set func(c *talk.Console)) *held {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	ctx, cancel := context.WithCancelCause(t.Context())
	h := &held{screen: newScreen(width), far: far, in: bufio.NewReader(far), done: make(chan error, 1)}
	c := talk.Console{Terminal: h.terminal(t, func() { cancel(errCtrlC) })}
	if set != nil {
		set(&c)
	}
	go func() { h.done <- c.Hold(ctx, talk.Stream(near)) }()
	h.ends(t, ">")
	return h
}

var errCtrlC = errors.New("Ctrl-C")

// says has the far end speak.
func (h *held) says(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(h.far, text); err != nil {
		select {
		case why := <-h.done:
			t.Fatalf("%v; it ended with %v", err, why)
		default:
			t.Fatal(err)
		}
	}
}

// hears checks the next line that the far end gets.
func (h *held) hears(t *testing.T, want string) {
	t.Helper()
	if got, err := h.in.ReadString('\n'); got != want {
		t.Errorf("the peer got %q (%v), want %q", got, err, want)
	}
}

func (h *held) over(t *testing.T, want error) {
	t.Helper()
	if err := <-h.done; !errors.Is(err, want) {
		t.Errorf("ended with %v, want %v", err, want)
	}
}

func TestALineIsEditedAndRemembered(t *testing.T) {
	h := hold(t, 80, nil)
	h.press(t, "EHLO wrogn\x7f\x7f\x7fong\r")
	h.hears(t, "EHLO wrong\n")
	h.says(t, "501 no\r\n")
	h.ends(t, "> EHLO wrong\n501 no\n>")
	h.press(t, "\x1b[A\x17right\r") // up, without its last word
	h.hears(t, "EHLO right\n")
	h.press(t, "::colon\r")
	h.hears(t, ":colon\n")
	h.press(t, ":quit\r")
	h.over(t, nil)
}

func TestWhatComesInDoesNotGarbleWhatIsTyped(t *testing.T) {
	h := hold(t, 20, nil)
	h.press(t, "a line that is wider than")
	h.ends(t, "> a line that is wid\ner than")
	h.says(t, "250 hello\r\n")
	h.ends(t, "250 hello\n> a line that is wid\ner than")
	h.says(t, "login: ")
	h.ends(t, "250 hello\nlogin: > a line that\n is wider than")
	h.press(t, "\x15bob\r") // all of it taken back
	h.hears(t, "bob\n")
	h.says(t, "pass")
	h.says(t, "word: ")
	h.ends(t, "login: > bob\npassword: >")
	h.says(t, strings.Repeat("0123456789", 3)+"\r\nend\r\n")
	h.ends(t, "password: 0123456789\n01234567890123456789\nend\n>")
	h.far.Close()
	h.ends(t, "end\nthe peer closed")
	h.over(t, nil)
}

func TestCtrlDEndsOurHalfAndCtrlCTheConversation(t *testing.T) {
	h := hold(t, 80, nil)
	h.press(t, "abc\x01\x04\r") // in a line Ctrl-D deletes
	h.hears(t, "bc\n")
	h.press(t, "\x04")
	if b, err := io.ReadAll(h.in); err != nil || len(b) > 0 {
		t.Errorf("the peer got %q, %v", b, err)
	}
	h.says(t, "still here\r\n")
	h.shows(t, "still here")
	h.press(t, "too late\r")
	h.shows(t, "our half is closed; :quit leaves")
	h.press(t, "\x03")
	h.over(t, errCtrlC)
	twice := hold(t, 80, nil)
	twice.press(t, "\x04\x04")
	twice.over(t, nil)
}

func TestTheCommandsOfAConversation(t *testing.T) {
	h := hold(t, 300, nil) // wide enough for any temporary folder's name
	file := filepath.Join(t.TempDir(), "talk.txt")
	h.press(t, ":crlf on\r")
	h.ends(t, "\ncrlf>")
	h.press(t, "before\r")
	h.hears(t, "before\r\n")
	h.press(t, ":save "+file+"\r")
	h.shows(t, "saving to "+file)
	h.press(t, ":hex on\r:crlf\r")
	h.shows(t, "it is on")
	h.says(t, "hi\r\n")
	h.shows(t, "< 00000000  68 69 0d 0a")
	h.press(t, ":hex off\r:frobnicate\r")
	h.shows(t, ":frobnicate: no such command; :help lists them")
	h.press(t, ":help\r")
	h.shows(t, ":save FILE")
	h.press(t, ":save "+file+"\r")
	h.shows(t, "file exists")
	h.press(t, ":close\r")
	h.shows(t, "our half is closed; the peer")
	h.says(t, "last words")
	h.far.Close()
	h.over(t, nil)
	h.shows(t, "last words\nthe peer closed")
	saved, err := os.ReadFile(file)
	if want := "C: before\nS: hi\n# our half is closed\nS: last words\n"; err != nil || string(saved) != want {
		t.Errorf("saved %q (%v), want %q", saved, err, want)
	}
}

func TestStartTLSByHand(t *testing.T) {
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	h := hold(t, 80, func(c *talk.Console) {
		c.Roots = pair.Roots
		c.TLS = func(name string) (*tls.Config, error) {
			return &tls.Config{RootCAs: pair.Roots, ServerName: name}, nil
		}
	})
	h.press(t, "STARTTLS\r")
	h.hears(t, "STARTTLS\n")
	h.says(t, "220 go ahead\r\n")
	h.shows(t, "220 go ahead")
	h.press(t, ":starttls localhost\r")
	server := tls.Server(h.far, &tls.Config{Certificates: []tls.Certificate{pair.Certificate}})
	h.far, h.in = server, bufio.NewReader(server)
	h.says(t, "inside\r\n")
	h.shows(t, "TLS 1.3  AES_128_GCM  localhost, expires in 59 minutes, chain ok\ninside")
	h.press(t, "secret\r")
	h.hears(t, "secret\n")
	h.press(t, ":starttls localhost\r")
	h.shows(t, talk.ErrTLS.Error())
	h.press(t, ":quit\r")
	h.over(t, nil)
	if _, err := h.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the peer's end is %v", err)
	}
}

func TestAHandshakeThatFailsEndsTheConversation(t *testing.T) {
	h := hold(t, 80, func(c *talk.Console) {
		c.TLS = func(name string) (*tls.Config, error) {
			return &tls.Config{ServerName: name}, nil
		}
	})
	h.press(t, ":starttls localhost\r")
	if b, err := h.in.ReadByte(); err != nil || b != 22 { // a handshake record
		t.Fatalf("%d, %v", b, err)
	}
	h.says(t, "502 what?\r\n")
	if err := <-h.done; err == nil || !strings.Contains(err.Error(), "answered in clear") {
		t.Errorf("%v", err)
	}
}
