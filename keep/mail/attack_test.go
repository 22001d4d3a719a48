package mail_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/mailbox"
)

// line connects to a server and reads its greeting.
func line(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	hear(t, nc, "\r\n")
	return nc.(*net.TCPConn)
}

// hear reads until something was said.
func hear(t *testing.T, nc net.Conn, what string) {
	t.Helper()
	var all []byte
	for p := make([]byte, 1); !bytes.Contains(all, []byte(what)); all = append(all, p...) {
		if _, err := nc.Read(p); err != nil {
			t.Fatalf("%v, before %q: %q", err, what, all)
		}
	}
}

func say(t *testing.T, nc net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
}

// A message that is cut before its end is none, whatever it came by and however
// it was cut.
func TestMessagesCut(t *testing.T) {
	const half = "Subject: cut\r\n\r\nhalf a message\r\n"
	ways := map[string]func(t *testing.T, w *world) *net.TCPConn{
		"DATA": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.smtp)
			say(t, nc, "EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<stress@x.test>\r\nDATA\r\n")
			hear(t, nc, "354 ")
			say(t, nc, half+"\r\n.")
			return nc
		},
		"BDAT": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.smtp)
			say(t, nc, fmt.Sprintf("EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<stress@x.test>\r\nBDAT %d\r\n%s", len(half), half))
			hear(t, nc, "250 2.0.0 "+fmt.Sprint(len(half)))
			say(t, nc, "BDAT 100 LAST\r\n"+half)
			return nc
		},
		"LMTP": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.lmtp)
			say(t, nc, "LHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<stress@x.test>\r\nDATA\r\n")
			hear(t, nc, "354 ")
			say(t, nc, half)
			return nc
		},
		"APPEND": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.imap)
			say(t, nc, fmt.Sprintf("a LOGIN stress x\r\nb APPEND INBOX {%d+}\r\n%s", len(half)+1, half))
			return nc
		},
		"MULTIAPPEND": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.imap)
			say(t, nc, fmt.Sprintf("a LOGIN stress x\r\nb APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s", len(half), half, len(half), half))
			return nc
		},
		"COMPRESS": func(t *testing.T, w *world) *net.TCPConn {
			nc := line(t, w.imap)
			say(t, nc, "a LOGIN stress x\r\nb COMPRESS DEFLATE\r\n")
			hear(t, nc, "b OK")
			say(t, nc, "this is no stream of DEFLATE")
			return nc
		},
	}
	everywhere(t, mailbox.Options{}, nil, func(t *testing.T, w *world) {
		w.account(t, "stress")
		for name, begin := range ways {
			for cut, end := range map[string]func(nc *net.TCPConn) error{
				"half-closed": (*net.TCPConn).CloseWrite,
				"reset": func(nc *net.TCPConn) error {
					_ = nc.SetLinger(0)
					return nc.Close()
				},
			} {
				nc := begin(t, w)
				if err := end(nc); err != nil {
					t.Error(err)
				}
				if cut == "half-closed" { // the server ends too, without having taken anything
					said, err := io.ReadAll(nc)
					if err == nil && (bytes.Contains(said, []byte("APPENDUID")) || bytes.Contains(said, []byte("250 2.0.0 OK"))) {
						t.Errorf("%s, %s: %q", name, cut, said)
					}
				}
			}
		}
		if _, m := inbox(t, w, "stress"); count(t, m) != 0 {
			t.Errorf("%d messages were made of halves", count(t, m))
		}
	})
}

// Messages of ugly shapes come in by SMTP and are shown by IMAP, whose answers
// stay such that a client can read them.
func TestUglyShapes(t *testing.T) {
	var deep strings.Builder
	for i := range 500 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	shapes := map[string]string{
		"deep":      deep.String() + "x\r\n",
		"parts":     "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 2_000),
		"rfc822":    strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 500) + "x\r\n",
		"addresses": "To: " + strings.Repeat("a@x.test,\r\n ", 2_000) + "b@x.test\r\n\r\nx\r\n",
		"groups":    "To: " + strings.Repeat("g:", 2_000) + ";\r\n\r\nx\r\n",
		"comments":  "To: " + strings.Repeat("(", 5000) + "\r\n " + strings.Repeat(")", 5000) + "a@x.test\r\n\r\nx\r\n",
		"long line": "Subject: " + strings.Repeat("x", 1<<16) + "\r\n\r\n" + strings.Repeat("y", 1<<16) + "\r\n",
		"words":     "Subject: " + strings.Repeat("=?utf-8?b?w7w=?= ", 2_000) + "\r\n\r\nx\r\n",
		"params":    "Content-Type: text/plain; " + strings.Repeat("x*0*=utf-8''a; ", 2_000) + "\r\n\r\nx\r\n",
		"refs":      "References: " + strings.Repeat("<a@x>\r\n <b@x>", 2_000) + "\r\n\r\nx\r\n",
		"bytes":     "\x01\x02: \xff\xfe\r\nSubject: \xc3\x28 \"\\\r\n\r\n\x80\xff\r\n",
		"no header": "\r\n\r\n",
		"no body":   "A",
	}
	everywhere(t, mailbox.Options{}, nil, func(t *testing.T, w *world) {
		b := believer{ledger: newLedger()}
		if err := b.connect(w.imap); err != nil {
			t.Fatal(err)
		}
		defer b.nc.Close()
		for name, text := range shapes {
			c := line(t, w.smtp)
			say(t, c, fmt.Sprintf("EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<stress@x.test>\r\nBDAT %d LAST\r\n%s", len(text), text))
			hear(t, c, "250 2.0.0 OK")
			for _, command := range []string{
				"SELECT INBOX",
				"FETCH * (UID FLAGS ENVELOPE BODY BODYSTRUCTURE PREVIEW RFC822.SIZE BODY.PEEK[] BODY.PEEK[1.2.3.4.5.MIME] BINARY.SIZE[1])",
				"SORT (SUBJECT FROM DATE TO) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL",
				"SEARCH OR TEXT nothing OR SUBJECT nothing TO nothing", "SEARCH SENTBEFORE 1-Jan-2000",
			} {
				if err := b.must(command); err != nil {
					t.Errorf("%s: %.300s", name, err)
				}
			}
		}
	})
}
