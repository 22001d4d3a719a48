package message

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Builder is a message that is to be written: who, what, and the parts. The
// zero value is an empty message; [Builder.WriteTo] says what it must have.
type Builder struct {
	// From are the authors; one at least. Sender is who sent it, if that is
	// somebody else, and must be there if there are several authors.
	From    []Address
	Sender  Address
	ReplyTo []Address
	// To and Cc are written. Bcc is not: it is for the envelope, see Recipients.
	To, Cc, Bcc []Address
	// Subject is text; what is not ASCII becomes encoded words.
	Subject string
	// Date is now where it is zero.
	Date time.Time
	// MessageID is made at the domain of the first author where it is empty.
	MessageID  string
	InReplyTo  []string
	References []string
	// Header are fields besides these, written last, folded anew.
	Header Header

	// Text and HTML are the message; both make a multipart/alternative.
	Text, HTML string
	// Inline are pieces that the HTML refers to as "cid:" and their ID.
	Inline []Attachment
	// Attachments come after the text.
	Attachments []Attachment
}

// Attachment is a file that goes with a message.
type Attachment struct {
	// Name is the name that the file is offered by; it may be empty.
	Name string
	// Type is its media type, with parameters (default application/octet-stream).
	// A message/rfc822 is written as it is, with its lines ended by CRLF;
	// everything else in base64. A multipart is refused.
	Type string
	// ID is what the HTML calls it, without "cid:" and angle brackets.
	ID string
	// Content is read once, when the message is written, and not closed.
	Content io.Reader
}

// Recipients gives the addresses that the envelope of the message needs: those
// of To, Cc and Bcc, groups opened, none twice.
func (m *Builder) Recipients() []string {
	var out []string
	seen := map[string]bool{}
	var add func(list []Address)
	add = func(list []Address) {
		for _, a := range list {
			add(a.Members)
			if spec := a.Spec(); spec != "" && !seen[spec] {
				seen[spec] = true
				out = append(out, spec)
			}
		}
	}
	for _, list := range [...][]Address{m.To, m.Cc, m.Bcc} {
		add(list)
	}
	return out
}

// WriteTo writes the message, all lines ended by CRLF, and gives how many
// octets that was. The header is checked before anything is written: the
// errors are [ErrAddress], [ErrBreak], [ErrName], [ErrLong]; then there are
// those of w and of an attachment's Content.
func (m *Builder) WriteTo(w io.Writer) (int64, error) {
	h, err := m.header()
	if err != nil {
		return 0, err
	}
	root, err := m.tree()
	if err != nil {
		return 0, err
	}
	count := &countWriter{w: w}
	h.Fields = append(h.Fields, root.header.Fields...)
	if _, err := count.Write(h.Append(nil)); err != nil {
		return count.n, err
	}
	return count.n, root.writeBody(count)
}

type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// header makes the fields of the message itself.
func (m *Builder) header() (Header, error) {
	var h Header
	if len(m.From) == 0 {
		return h, fmt.Errorf("%w: a message needs an author", ErrAddress)
	}
	if len(m.From) > 1 && m.Sender.Local == "" { // RFC 5322 3.6.2
		return h, fmt.Errorf("%w: several authors need a sender", ErrAddress)
	}
	date := m.Date
	if date.IsZero() {
		date = time.Now()
	}
	id := m.MessageID
	if id == "" {
		var err error
		if id, err = NewMessageID(idDomain(m.From[0].Domain), date); err != nil {
			return h, err
		}
	}
	var sender []Address
	if m.Sender.Local != "" {
		sender = []Address{m.Sender}
	}
	err := errors.Join(
		h.Add("Date", FormatDate(date)),
		h.addAddresses("From", m.From),
		h.addAddresses("Sender", sender),
		h.addAddresses("Reply-To", m.ReplyTo),
		h.addAddresses("To", m.To),
		h.addAddresses("Cc", m.Cc),
		h.addIfAny("Message-ID", id),
		h.addIfAny("In-Reply-To", strings.Join(m.InReplyTo, " ")),
		h.addIfAny("References", strings.Join(m.References, " ")),
		h.addIfAny("Subject", EncodeText(m.Subject)),
	)
	for _, f := range m.Header.Fields {
		err = errors.Join(err, h.Add(f.Name, f.Value()))
	}
	return h, errors.Join(err, h.Add("MIME-Version", "1.0"))
}

// idDomain is the domain for an identifier: one that is not ASCII, or is a
// literal, would not be taken everywhere (RFC 5536 3.1.3).
func idDomain(domain string) string {
	if printable(domain) && isDotAtom(domain) {
		return domain
	}
	return "localhost.invalid"
}

func (h *Header) addIfAny(name, value string) error {
	if value == "" {
		return nil
	}
	return h.Add(name, value)
}

func (h *Header) addAddresses(name string, list []Address) error {
	value, err := AppendAddresses(nil, list)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return h.addIfAny(name, string(value))
}

// node is a part that is to be written: with a boundary it is a multipart.
type node struct {
	header   Header
	boundary string
	parts    []*node
	body     io.Reader
	encoding string
}

// tree puts the parts together: mixed(alternative(text, related(html, inline)), attachments),
// without those levels that would have one part.
func (m *Builder) tree() (*node, error) {
	var bodies []*node
	if m.Text != "" || m.HTML == "" {
		bodies = append(bodies, textNode("plain", m.Text))
	}
	inline, err := attachmentNodes("inline", m.Inline)
	if err != nil {
		return nil, err
	}
	attached, err := attachmentNodes("attachment", m.Attachments)
	if err != nil {
		return nil, err
	}
	if m.HTML != "" {
		html := textNode("html", m.HTML)
		bodies = append(bodies, multipart("related", append([]*node{html}, inline...)))
	} else {
		attached = append(inline, attached...)
	}
	body := multipart("alternative", bodies)
	return multipart("mixed", append([]*node{body}, attached...)), nil
}

// multipart puts parts into one, unless it is only one.
func multipart(subtype string, parts []*node) *node {
	if len(parts) == 1 {
		return parts[0]
	}
	n := &node{parts: parts, boundary: rand.Text()}
	n.add("Content-Type", MediaType{"multipart", subtype, Params{{"boundary", n.boundary}}}.String())
	return n
}

// add writes a field whose value is made here, so that it can have no fault.
func (n *node) add(name, value string) {
	if err := n.header.Add(name, value); err != nil {
		panic("message: a field of our own making: " + err.Error())
	}
}

func textNode(subtype, text string) *node {
	text = validText(text)
	b := canonical(text)
	n := &node{body: bytes.NewReader(b), encoding: textEncoding(string(b))}
	charset := "utf-8"
	if ascii(text) {
		charset = "us-ascii"
	}
	n.add("Content-Type", MediaType{"text", subtype, Params{{"charset", charset}}}.String())
	n.add("Content-Transfer-Encoding", n.encoding)
	return n
}

func attachmentNodes(disposition string, list []Attachment) ([]*node, error) {
	var out []*node
	for _, a := range list {
		n, err := a.node(disposition)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func (a Attachment) node(disposition string) (*node, error) {
	t := MediaType{Type: "application", Subtype: "octet-stream"}
	if a.Type != "" {
		var defects []DefectKind
		if t, defects = ParseMediaType(a.Type); len(defects) > 0 || t.Type == "multipart" {
			return nil, fmt.Errorf("message: attachment %q cannot be of type %q", a.Name, a.Type)
		}
	}
	if strings.ContainsAny(a.Name+a.ID+a.Type, "\r\n\x00") {
		return nil, fmt.Errorf("%w: attachment %q", ErrBreak, a.Name)
	}
	n := &node{body: a.Content, encoding: "base64"}
	if n.body == nil {
		n.body = strings.NewReader("")
	}
	if t.Is("message", "rfc822") || t.Is("message", "global") { // RFC 2046 5.2.1: no encoding but these
		n.encoding, n.body = "8bit", NewCRLFReader(n.body)
	}
	d := Disposition{Value: disposition}
	if a.Name != "" {
		d.Params.Set("filename", a.Name)
	}
	err := errors.Join(
		n.header.Add("Content-Type", t.String()),
		n.header.Add("Content-Transfer-Encoding", n.encoding),
		n.header.Add("Content-Disposition", d.String()),
	)
	if a.ID != "" {
		err = errors.Join(err, n.header.Add("Content-ID", "<"+strings.Trim(a.ID, "<>")+">"))
	}
	return n, err
}

func (n *node) writeBody(w io.Writer) error {
	if n.boundary == "" {
		enc := NewEncoder(w, n.encoding)
		if _, err := io.Copy(enc, n.body); err != nil {
			return err
		}
		return enc.Close()
	}
	for i, p := range n.parts {
		b := []byte("--" + n.boundary + "\r\n")
		if i > 0 {
			b = append([]byte("\r\n"), b...)
		}
		if _, err := w.Write(p.header.Append(b)); err != nil {
			return err
		}
		if err := p.writeBody(w); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\r\n--"+n.boundary+"--\r\n")
	return err
}
