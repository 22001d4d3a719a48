package imap_test

import (
	"bufio"
	"compress/flate"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// squeezed is a connection under deflate as any client has it, with one state
// for its whole life.
type squeezed struct {
	net.Conn
	r io.Reader
	w *flate.Writer
}

func squeeze(nc net.Conn) *squeezed {
	w, _ := flate.NewWriter(nc, flate.BestCompression)
	return &squeezed{nc, flate.NewReader(bufio.NewReader(nc)), w}
}

func (s *squeezed) Read(p []byte) (int, error) { return s.r.Read(p) }

func (s *squeezed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err == nil {
		err = s.w.Flush()
	}
	return n, err
}

func TestCompress(t *testing.T) {
	big := "Subject: big\n\n" + strings.Repeat("all work and no play makes jack a dull boy\n", 4_000)
	onEngines(t, func(t *testing.T, addr string, b *toy) {
		b.put("mrc", "INBOX", big)
		k := loggedIn(t, addr, "mrc")
		k.ask("COMPRESS LZMA", "BAD")
		k.ask("COMPRESS DEFLATE", "OK")
		z := squeeze(k.nc)
		k.nc, k.r = z, bufio.NewReader(z)
		k.ask("COMPRESS DEFLATE", "NO [COMPRESSIONACTIVE]")
		if caps := k.ask("CAPABILITY", "OK"); strings.Contains(caps[0], "COMPRESS") {
			t.Error(caps[0])
		}
		k.ask("SELECT INBOX", "OK")
		text := strings.ReplaceAll(big, "\n", "\r\n")
		if lines := k.ask("FETCH 4 BODY.PEEK[]", "OK"); !strings.HasSuffix(strings.Join(lines[1:len(lines)-2], "\r\n"), strings.TrimSuffix(text[strings.Index(text, "\r\n\r\n")+4:], "\r\n")) {
			t.Error("FETCH gave something else")
		}
		k.say("l APPEND INBOX {" + strconv.Itoa(len(text)) + "+}\r\n" + text + "\r\nm NOOP\r\n")
		k.want("* 5 EXISTS")
		k.want("* 0 RECENT")
		k.want("l OK [APPENDUID 1 5]")
		k.want("m OK")
		for _, c := range "n IDLE\r\n" { // a flush for each byte
			k.say(string(c))
		}
		k.want("+ ")
		b.put("mrc", "INBOX", note)
		k.want("* 6 EXISTS")
	})
}

// TestCompressInTLS has one in the other, where nothing tells a loop that input
// lies there.
func TestCompressInTLS(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			h := handler(filled())
			h.TLS = testcert.Server(t)
			k := talk(t, servertest.Serve(t, &server.Server{Handler: h, Engine: e()}))
			k.ask("STARTTLS", "OK")
			k.wrapTLS()
			k.ask("LOGIN mrc secret", "OK")
			k.ask("COMPRESS DEFLATE", "OK")
			z := squeeze(k.nc)
			k.nc, k.r = z, bufio.NewReader(z)
			k.say("a NOOP\r\nb NOOP\r\nc SELECT INBOX\r\nd IDLE\r\n")
			for line := ""; !strings.HasPrefix(line, "+ "); line = k.line() {
				if strings.Contains(line, " BAD") {
					t.Error(line)
				}
			}
			k.say("DONE\r\n")
			k.want("d OK")
		})
	}
}
