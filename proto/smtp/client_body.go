package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/idna"

	"github.com/farend-go/farend/wire"
)

// piece is what of a message lies here, and the reader of the rest.
type piece struct {
	buf   []byte
	n     int
	whole bool      // the message ends with it
	r     io.Reader // with line ends made CRLF
	from  int64     // where Body stood; -1: it cannot go back
	left  int64     // bytes that Body has in all; -1: unknown
	sent  bool      // more was read than lies here
}

func (p *piece) release() { wire.Put(p.buf) }

// start reads the first piece.
func (p *piece) start(m Message) error {
	p.from, p.left = -1, -1
	if s, ok := m.Body.(io.Seeker); ok {
		at, err := s.Seek(0, io.SeekCurrent)
		if err == nil {
			p.from = at
			if end, err := s.Seek(0, io.SeekEnd); err == nil {
				p.left = end - at
			}
			if _, err := s.Seek(at, io.SeekStart); err != nil {
				return fmt.Errorf("smtp: body: %w", err)
			}
		}
	}
	return p.read(m)
}

func (p *piece) read(m Message) error {
	var body io.Reader = bytes.NewReader(nil)
	if m.Body != nil {
		body = m.Body
	}
	if p.r = body; m.From.Body != BodyBinary {
		p.r = &crlfReader{r: &ended{r: body}}
	}
	p.sent = false
	return p.fill()
}

// again goes back to the beginning.
func (p *piece) again(m Message) error {
	if !p.sent && p.whole {
		return nil
	}
	s, ok := m.Body.(io.Seeker)
	if !ok || p.from < 0 {
		return errors.New("smtp: the server takes fewer recipients at once, and the body cannot be read again")
	}
	if _, err := s.Seek(p.from, io.SeekStart); err != nil {
		return fmt.Errorf("smtp: body: %w", err)
	}
	return p.read(m)
}

// fill reads the next piece.
func (p *piece) fill() error {
	n, err := io.ReadFull(p.r, p.buf)
	p.n = n
	if p.whole = err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF); p.whole {
		return nil
	}
	if err != nil {
		return fmt.Errorf("smtp: body: %w", err)
	}
	return nil
}

// each calls f with all pieces of the message.
func (p *piece) each(f func(b []byte, last bool) error) error {
	for {
		if err := f(p.buf[:p.n], p.whole); err != nil || p.whole {
			return err
		}
		p.sent = true
		if err := p.fill(); err != nil {
			return err
		}
	}
}

// size is how long the message is, as far as it is known; 0: it is not.
func (p *piece) size() int64 {
	if p.whole {
		return int64(p.n)
	}
	return max(p.left, 0)
}

// header is the header, or what of it lies here.
func (p *piece) header() []byte {
	head, _, _ := bytes.Cut(p.buf[:p.n], []byte("\r\n\r\n"))
	return head
}

// ended gives a text's last line its end.
type ended struct {
	r    io.Reader
	last byte
	any  bool
	err  error
}

func (e *ended) Read(p []byte) (int, error) {
	if e.err == io.EOF || len(p) == 0 {
		return 0, e.err
	}
	n, err := e.r.Read(p)
	if n > 0 {
		e.last, e.any = p[n-1], true
	}
	if err != io.EOF {
		return n, err
	}
	if e.any && e.last != '\n' && e.last != '\r' {
		if n == len(p) {
			return n, nil // the end comes with the next call
		}
		p[n], e.last = '\n', '\n'
		n++
	}
	e.err = io.EOF
	return n, io.EOF
}

// fit gives the message the parameters that it calls for, and tells what the
// server lacks for it.
func (c *Client) fit(m Message, p *piece) (Message, error) {
	lacks := func(name string) (Message, error) { return m, fmt.Errorf("%w: %s", ErrNotOffered, name) }
	to := m.To
	m.To = make([]Recipient, len(to))
	copy(m.To, to)
	utf8 := c.caps.Has("SMTPUTF8")
	eight := !isASCII(string(p.buf[:p.n]))
	from := &m.From
	ok := fitMailbox(&from.Mailbox, utf8)
	asciiOnly := from.Mailbox.ASCII()
	dsn := from.Return != ReturnUnsaid || from.EnvID != ""
	for i := range m.To {
		r := &m.To[i]
		ok = fitMailbox(&r.Mailbox, utf8) && ok
		asciiOnly = asciiOnly && r.Mailbox.ASCII()
		dsn = dsn || r.Notify != 0 || r.ORcpt != ""
	}
	if !ok || from.UTF8 && !utf8 {
		return lacks("SMTPUTF8")
	}
	from.UTF8 = from.UTF8 || utf8 && (!asciiOnly || !isASCII(string(p.header())))
	if from.Body == BodyUnsaid && (eight || !p.whole) && c.caps.Has("8BITMIME") {
		from.Body = Body8Bit
	}
	_, secure := c.TLS()
	switch {
	case eight && from.Body != BodyBinary && !c.caps.Has("8BITMIME"):
		return lacks("8BITMIME")
	case from.Body != BodyUnsaid && from.Body != BodyBinary && !c.caps.Has("8BITMIME"):
		from.Body = BodyUnsaid
	case from.Body == BodyBinary && (!c.caps.Has("BINARYMIME") || !c.caps.Has("CHUNKING")):
		return lacks("BINARYMIME")
	case dsn && !c.caps.Has("DSN"):
		return lacks("DSN")
	case from.RequireTLS && (!secure || c.o.Security == Unverified || !c.caps.Has("REQUIRETLS")):
		return lacks("REQUIRETLS")
	}
	if !c.caps.Has("AUTH") {
		from.Auth = ""
	}
	if from.Size == 0 {
		from.Size = p.size()
	}
	if limit := c.caps.Number("SIZE", ""); limit > 0 && from.Size > limit {
		return m, Reply{552, Status{5, 3, 4}, fmt.Sprintf("%d bytes are more than the %d that the server takes", from.Size, limit)}
	}
	if !c.caps.Has("SIZE") {
		from.Size = 0
	}
	return m, m.check()
}

// fitMailbox writes a domain in ASCII where the server knows no other; false:
// the local part is not to be helped.
func fitMailbox(m *Mailbox, utf8 bool) bool {
	if utf8 || m.ASCII() {
		return true
	}
	if name, err := idna.Lookup.ToASCII(m.Domain); err == nil {
		m.Domain = name
	}
	return m.ASCII()
}

// check tells whether what MAIL and RCPT will say is what it is meant to be:
// nothing in it may become another parameter, or another line.
func (m Message) check() error {
	s, err := ParseSender(string(m.From.Append(nil)))
	if err != nil || !m.From.Mailbox.valid() || !s.same(m.From) {
		return fmt.Errorf("%w: %q", ErrAddress, m.From.Mailbox.String())
	}
	for _, to := range m.To {
		r, err := ParseRecipient(string(to.Append(nil)))
		if err != nil || !to.Mailbox.valid() || r.Mailbox != to.Mailbox || r.Notify != to.Notify || r.ORcpt != to.ORcpt || !sameParams(r.Extra, to.Extra) {
			return fmt.Errorf("%w: %q", ErrAddress, to.Mailbox.String())
		}
	}
	return nil
}

// same compares all but Extra's spelling.
func (s Sender) same(o Sender) bool {
	return s.Mailbox == o.Mailbox && s.Size == o.Size && s.Body == o.Body && s.UTF8 == o.UTF8 && s.RequireTLS == o.RequireTLS &&
		s.Auth == o.Auth && s.Return == o.Return && s.EnvID == o.EnvID && sameParams(s.Extra, o.Extra)
}

func sameParams(a, b []Param) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !strings.EqualFold(a[i].Name, b[i].Name) || a[i].Value != b[i].Value {
			return false
		}
	}
	return true
}
