package smtp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/wire"
)

// A Transport opens smtp: and smtps: URLs for an http.Client: PUT and POST send
// their body, a message, to
//
//	smtp://user:password@host:port/recipient,recipient?from=sender
//
// smtps: is TLS from the beginning, and smtp: uses STARTTLS as Options has it.
// Who is not named there nor in the fields is taken from the message's header:
// the sender from Sender or From, the recipients from To, Cc and Bcc, and then
// Bcc is not sent. Each request is a session of its own.
//
// Where the server refuses, the response has the nearest status (401 for a
// login, 404 for 550, 507 for 452 and 552, 503 for what may go well later, 502
// for all others), and its body has a line for each recipient. Its fields are
// set before the first request; it may be used by several goroutines.
type Transport struct {
	Options Options
	From    string   // instead of the URL's
	To      []string // instead of the URL's
	// Login gives name and password where the URL has none; nil, or no name:
	// none.
	Login func(ctx context.Context, u *url.URL) (user, password string, err error)
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip sends a message.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.Method != http.MethodPut && req.Method != http.MethodPost {
		return response(req, http.StatusMethodNotAllowed, "SMTP takes PUT and POST\n"), nil
	}
	m, err := t.message(req)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	endpoint, o, err := t.where(ctx, req.URL)
	if err != nil {
		return nil, err
	}
	c, err := Dial(ctx, endpoint, o)
	if err != nil {
		return refused(req, err, nil)
	}
	receipt, err := c.Send(ctx, m)
	if !c.Broken() {
		_ = c.Quit(ctx) // what it was asked has been answered
	}
	c.Close()
	if err != nil {
		return refused(req, err, receipt.Results)
	}
	return response(req, http.StatusOK, receipt.Reply.Text+"\n"), nil
}

// where is the server, and how to talk to it.
func (t *Transport) where(ctx context.Context, u *url.URL) (string, Options, error) {
	e := dial.Endpoint{Scheme: dial.TCP, Host: u.Hostname(), Port: "25"}
	if u.Scheme == "smtps" {
		e.Scheme, e.Port = dial.TLS, "465"
	}
	if u.Port() != "" {
		e.Port = u.Port()
	}
	o := t.Options
	user, password := u.User.Username(), ""
	if user != "" {
		password, _ = u.User.Password()
	} else if t.Login != nil {
		var err error
		if user, password, err = t.Login(ctx, u); err != nil {
			return "", o, err
		}
	}
	if user != "" {
		o.Login = &auth.Credentials{User: user, Password: password}
	}
	return e.String(), o, nil
}

// message makes the envelope.
func (t *Transport) message(req *http.Request) (Message, error) {
	var body io.Reader = http.NoBody
	if req.Body != nil {
		body = req.Body
	}
	from, to := t.From, t.To
	query := req.URL.Query()
	if from == "" {
		from = query.Get("from")
	}
	if len(to) == 0 {
		to = append(splitAddresses(strings.TrimPrefix(req.URL.Path, "/")), query["to"]...)
	}
	if from != "" && len(to) > 0 {
		return NewMessage(strings.Trim(from, "<>"), to, body)
	}
	r := bufio.NewReaderSize(body, wire.Large)
	head, header, err := readHeader(r)
	if err != nil {
		return Message{}, err
	}
	if from == "" {
		if from, err = senderOf(header); err != nil {
			return Message{}, err
		}
	}
	if len(to) == 0 {
		to = recipientsOf(header)
		head = withoutBcc(head)
	}
	if len(to) == 0 {
		return Message{}, fmt.Errorf("%w: neither the URL nor the header names any", ErrNoRecipients)
	}
	return NewMessage(strings.Trim(from, "<>"), to, io.MultiReader(bytes.NewReader(head), r))
}

func splitAddresses(s string) []string {
	var out []string
	for a := range strings.SplitSeq(s, ",") {
		if a = strings.TrimSpace(a); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// readHeader takes the header off a message, with the empty line behind it.
func readHeader(r *bufio.Reader) (head []byte, h mail.Header, err error) {
	for {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		if err == io.EOF || err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		if err != nil || len(head) > 1<<20 {
			return nil, nil, fmt.Errorf("smtp: the message's header: %w", errors.Join(err, errTooLong))
		}
	}
	text := bytes.TrimRight(head, "\r\n")
	m, err := mail.ReadMessage(bytes.NewReader(append(bytes.Clone(text), "\r\n\r\n"...)))
	if err != nil {
		return nil, nil, fmt.Errorf("smtp: the message's header: %w", err)
	}
	return head, m.Header, nil
}

var errTooLong = errors.New("it is too long, or is none")

func senderOf(h mail.Header) (string, error) {
	for _, name := range []string{"Sender", "From"} {
		if list, err := h.AddressList(name); err == nil && len(list) > 0 {
			return list[0].Address, nil
		}
	}
	return "", fmt.Errorf("%w: neither the URL nor the header names the sender", ErrAddress)
}

func recipientsOf(h mail.Header) []string {
	var to []string
	for _, name := range []string{"To", "Cc", "Bcc"} {
		list, _ := h.AddressList(name) // what cannot be read names nobody
		for _, a := range list {
			to = append(to, a.Address)
		}
	}
	return to
}

// withoutBcc drops the field, and the lines that continue it.
func withoutBcc(head []byte) []byte {
	var out []byte
	drop := false
	for line := range bytes.Lines(head) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			drop = bytes.EqualFold(bytes.TrimSpace(name), []byte("bcc"))
		}
		if !drop {
			out = append(out, line...)
		}
	}
	return out
}

// refused makes a response of a negative reply; another error stays one.
func refused(req *http.Request, err error, results []Result) (*http.Response, error) {
	r, ok := errors.AsType[Reply](err)
	if !ok {
		return nil, err
	}
	status := http.StatusBadGateway
	switch {
	case r.Code == 530 || r.Code == 535 || r.Code == 534 || r.Code == 538:
		status = http.StatusUnauthorized
	case r.Code == 550:
		status = http.StatusNotFound
	case r.Code == 452 || r.Code == 552:
		status = http.StatusInsufficientStorage
	case r.Temporary():
		status = http.StatusServiceUnavailable
	}
	var text strings.Builder
	for _, one := range results {
		what := "sent"
		if one.Err != nil {
			what = one.Err.Error()
		}
		fmt.Fprintf(&text, "%s: %s\n", one.To.Mailbox, what)
	}
	if text.Len() == 0 {
		fmt.Fprintf(&text, "%v\n", r)
	}
	return response(req, status, text.String()), nil
}

func response(req *http.Request, status int, text string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "SMTP/1.0", ProtoMajor: 1, Header: http.Header{}, Request: req,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}
