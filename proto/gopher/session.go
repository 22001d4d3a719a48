package gopher

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"iter"
	"net"
	"strings"

	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// NewHandler serves a Backend, in clear or, where the server has TLS, as
// gophers. A talk is one request; its limits are the server's (Limits.Idle for
// the line to come, Limits.Line, Limits.Turn for each piece of what is sent).
func NewHandler(b Backend, o Options) server.Handler { return &handler{b, o} }

type handler struct {
	b Backend
	o Options
}

func (h *handler) Mode() server.Mode { return server.Blocks }

func (h *handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &session{handler: h, t: t}, nil
}

type session struct {
	*handler
	t    *server.Talk
	host string
	port int
}

var _ server.Session = (*session)(nil)

// Turn answers the one request; the end of the connection ends the answer.
// Lines that LF alone ends are taken: nothing follows that they could hide.
func (s *session) Turn(ctx context.Context) error {
	line, err := s.t.R.LooseLine()
	switch {
	case errors.Is(err, wire.ErrLineTooLong):
		err = s.refuse(Request{}, "the request is too long")
	case err != nil:
		return err
	default:
		s.address()
		var r Request
		if r, err = ParseRequest(line); err != nil {
			err = s.refuse(Request{}, "the request is malformed")
		} else {
			err = s.answer(ctx, r)
		}
	}
	if err != nil {
		return err
	}
	return io.EOF
}

func (s *session) Close(error) error { return nil }

// address finds out where the client reached us.
func (s *session) address() {
	s.host, s.port = s.o.Host, s.o.Port
	local, ok := s.t.LocalAddr().(*net.TCPAddr)
	if !ok {
		local = &net.TCPAddr{}
	}
	if s.port == 0 {
		s.port = local.Port
	}
	if s.host != "" {
		return
	}
	s.host = "localhost"
	if local.IP != nil {
		s.host = local.IP.String()
	}
}

// answer finds what is asked for.
func (s *session) answer(ctx context.Context, r Request) error {
	if r.Flag == "1" {
		return s.refuse(r, "forms are not taken here")
	}
	if link, ok := strings.CutPrefix(strings.TrimPrefix(r.Selector, "/"), "URL:"); ok {
		return s.redirect(r, link)
	}
	res, err := s.b.Stat(ctx, r.Selector)
	if errors.Is(err, fs.ErrNotExist) && strings.TrimPrefix(r.Selector, "/") == "caps.txt" {
		return s.text(r, strings.NewReader(s.caps().String()))
	}
	if err != nil {
		return s.failed(r, err)
	}
	if res.Item.Type == Search && r.Search == "" && isWords(r.Plus) {
		r.Search, r.Plus = r.Plus, ""
	}
	switch {
	case strings.HasPrefix(r.Plus, "!"):
		return s.attributes(ctx, r, res)
	case strings.HasPrefix(r.Plus, "$"):
		return s.allAttributes(ctx, r, res)
	case res.Item.Type == Menu:
		return s.menu(r, s.b.Menu(ctx, r.Selector))
	case res.Item.Type == Search:
		return s.search(ctx, r)
	}
	return s.content(ctx, r, res)
}

// isWords tells words for an index that look like a Gopher+ part.
func isWords(plus string) bool {
	switch {
	case plus == "", plus == "+", plus == "!", plus == "$":
		return false
	}
	return !strings.HasPrefix(plus, "!+") && !strings.HasPrefix(plus, "$+")
}

func (s *session) search(ctx context.Context, r Request) error {
	b, ok := s.b.(Searcher)
	if !ok {
		return s.refuse(r, "nothing can be searched here")
	}
	return s.menu(r, b.Search(ctx, r.Selector, r.Search))
}

// failed tells what went wrong, and no more of it than is the client's affair.
func (s *session) failed(r Request, err error) error {
	text := "cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		text = "does not exist"
	case errors.Is(err, fs.ErrPermission):
		text = "may not be read"
	}
	return s.refuse(r, fmt.Sprintf("'%.200s' %s", visible(r.Selector), text))
}

// refuse answers with an error: an item of that type, or Gopher+'s.
func (s *session) refuse(r Request, text string) error {
	w := &s.t.W
	if r.Plus != "" {
		head := string(header{true, untilDot}.append(nil))
		return s.lines(head, fmt.Sprintf("%d %s", CodeUnavailable, visible(s.o.Admin)), text, ".")
	}
	line, err := Item{Type: Error, Name: text, Host: "error.host", Port: 1}.Append(nil)
	if err != nil {
		return err
	}
	if err := w.Line(line); err != nil {
		return err
	}
	return w.LineString(".")
}

func (s *session) lines(lines ...string) error {
	for _, line := range lines {
		if err := s.t.W.LineString(line); err != nil {
			return err
		}
	}
	return nil
}

// head begins an answer; one in Gopher+ with its length.
func (s *session) head(r Request, length int64) error {
	if r.Plus == "" {
		return nil
	}
	return s.t.W.Line(header{false, length}.append(nil))
}

// menu sends items as they come. One that cannot be told is left out: nobody
// could ask for it.
func (s *session) menu(r Request, items iter.Seq2[Item, error]) error {
	begun := false
	var b []byte
	for item, err := range items {
		if err != nil && !begun {
			return s.failed(r, err)
		}
		if err != nil {
			item = Item{Type: Error, Name: "the menu ends here: it cannot be read further", Host: "error.host", Port: 1}
		}
		if !begun {
			begun = true
			if err := s.head(r, untilDot); err != nil {
				return err
			}
		}
		if b, err = s.ours(item).Append(b[:0]); err != nil {
			continue
		}
		if err := s.t.W.Line(b); err != nil {
			return err
		}
	}
	if !begun {
		if err := s.head(r, untilDot); err != nil {
			return err
		}
	}
	return s.t.W.LineString(".")
}

// ours completes an item of this server.
func (s *session) ours(i Item) Item {
	if i.Host != "" {
		return i
	}
	i.Host, i.Port = s.host, s.port
	if i.Plus == "" && i.Type != Info {
		i.Plus = "+"
	}
	return i
}

// text sends a text: CRLF ends its lines, dots are doubled, a single one ends
// it (RFC 1436, appendix: TextFile).
func (s *session) text(r Request, text io.Reader) error {
	if err := s.head(r, untilDot); err != nil {
		return err
	}
	return s.t.W.Block(text)
}

// content sends a file.
func (s *session) content(ctx context.Context, r Request, res Resource) error {
	selector, text, ok := s.view(r, res)
	if !ok {
		return s.refuse(r, fmt.Sprintf("'%.200s' cannot be had as %.100s", visible(r.Selector), visible(r.Plus[1:])))
	}
	f, err := s.b.Open(ctx, selector)
	if err != nil {
		return s.failed(r, err)
	}
	defer f.Close()
	if text {
		return s.text(r, f)
	}
	length, body := int64(untilClose), io.Reader(f)
	if r.Plus != "" {
		if st, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
			if info, err := st.Stat(); err == nil {
				length = info.Size()
				body = io.LimitReader(f, length)
			}
		}
	}
	if err := s.head(r, length); err != nil {
		return err
	}
	n, err := s.t.SendFrom(body)
	if err == nil && length >= 0 && n < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		s.t.Cut() // or what came would pass for all of it
	}
	return err
}

// view gives the selector of what a request wants, and whether it goes as text.
func (s *session) view(r Request, res Resource) (selector string, text, ok bool) {
	want := strings.TrimPrefix(r.Plus, "+")
	if want == "" {
		return r.Selector, res.Item.Type.IsText(), true
	}
	media, lang, _ := strings.Cut(want, " ")
	for _, v := range res.Views {
		if strings.EqualFold(v.Media, media) && (lang == "" || strings.EqualFold(v.Lang, lang)) {
			return v.Selector, strings.HasPrefix(strings.ToLower(v.Media), "text/"), true
		}
	}
	own := strings.EqualFold(media, mediaTypeOf(res.Item.Type, r.Selector)) && lang == ""
	return r.Selector, res.Item.Type.IsText(), own
}

// redirect answers a selector "URL:..." with a page that leads there, for
// clients that do not know this convention of items of type HTML. A link that
// would run something in the reader's program leads nowhere.
func (s *session) redirect(r Request, link string) error {
	scheme, _, _ := strings.Cut(strings.ToLower(link), ":")
	switch scheme {
	case "http", "https", "ftp", "ftps", "gopher", "gophers", "gemini", "mailto", "news", "nntp", "irc", "ircs", "telnet", "xmpp":
	default:
		return s.refuse(r, "that link leads nowhere")
	}
	if err := s.head(r, untilClose); err != nil {
		return err
	}
	to := html.EscapeString(link)
	_, err := fmt.Fprintf(&s.t.W, "<!DOCTYPE html>\r\n<html><head><meta http-equiv=\"refresh\" content=\"3; url=%s\"><title>A link</title></head>\r\n"+
		"<body><p>This leads out of gopherspace, to <a href=\"%s\">%s</a>.</p></body></html>\r\n", to, to, to)
	return err
}

// caps makes up a caps.txt.
func (s *session) caps() Caps {
	c := Caps{
		{"CapsVersion", "1"}, {"ExpireCapsAfter", "3600"},
		{"PathDelimeter", "/"}, {"PathIdentity", "."}, {"PathParent", ".."}, {"PathParentDouble", "FALSE"}, {"PathKeepPreDelimeter", "FALSE"},
		{"ServerSoftware", "farend"}, {"ServerDefaultEncoding", "UTF-8"},
	}
	if s.o.TLSPort != 0 {
		c = append(c, Cap{"ServerTLSPort", fmt.Sprint(s.o.TLSPort)})
	}
	if s.o.Admin != "" {
		c = append(c, Cap{"ServerAdmin", s.o.Admin})
	}
	return append(c, s.o.Caps...)
}
