package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/proto/simple"
)

// benchMessage is what was told about requests and answers.
type benchMessage struct {
	as, send, expect string
	size             byteSize
	url              *url.URL // the target; its path is empty where an endpoint has none
	user, password   string   // of -u, or the URL's
}

// benchConversation makes a plan speak a protocol; m may say more about it.
type benchConversation func(p *load.Plan, m *benchMessage) error

// benchConversations are those of --as, and the schemes of that name. A
// protocol joins them with one line.
func benchConversations() map[string]benchConversation {
	return map[string]benchConversation{
		"echo":  func(p *load.Plan, m *benchMessage) error { return m.message(p, "", "same") },
		"line":  func(p *load.Plan, m *benchMessage) error { return m.message(p, `hello\n`, "line") },
		"greet": whole(greetings{}),
		"upper": whole(capitals{}),
		"http":  benchPages, "https": benchPages,
		"ftp": benchDownloads, "ftps": benchDownloads,
		"gopher": benchItems, "gophers": benchItems,
		"smtp": script(mailScript), "smtps": script(mailScript), "submission": script(mailScript), "lmtp": script(mailScript),
		"pop": script(dropScript), "pop3": script(dropScript), "pops": script(dropScript), "pop3s": script(dropScript),
		"imap": script(mailboxScript), "imaps": script(mailboxScript),
		"nntp": script(newsScript), "nntps": script(newsScript),
		"telnet": benchMarks, "telnets": benchMarks, "xmlrpc": benchCalls,
	}
}

func benchNames() []string { return slices.Sorted(maps.Keys(benchConversations())) }

// fill puts the message, or the conversation, into the plan.
func (m *benchMessage) fill(p *load.Plan, scheme dial.Scheme) error {
	if m.as == "" {
		m.as = "echo"
	}
	use, ok := benchConversations()[m.as]
	if !ok {
		return fmt.Errorf("--as %s: it is one of %s", m.as, strings.Join(benchNames(), ", "))
	}
	if err := use(p, m); err != nil {
		return err
	}
	generated := m.send == "" && m.as == "echo"
	p.Message.Numbered = scheme.Packet() && generated && p.Message.Expect.String() == "same" && len(p.Message.Send) >= 8
	return nil
}

// message is a request and its answer, in bytes.
func (m *benchMessage) message(p *load.Plan, send, expect string) (err error) {
	if m.send != "" && m.size != 0 {
		return errors.New("--send or --size, not both")
	}
	if m.send != "" {
		send = m.send
	}
	if m.expect != "" {
		expect = m.expect
	}
	if p.Message.Send, err = load.ParseText(send); err != nil {
		return fmt.Errorf("--send: %w", err)
	}
	if m.size != 0 || send == "" {
		p.Message.Send = load.Pattern(int(max(m.size, 1)))
		if m.size == 0 {
			p.Message.Send = load.Pattern(64)
		}
	}
	if p.Message.Expect, err = load.ParseExpect(expect); err != nil {
		return fmt.Errorf("--expect: %w", err)
	}
	return nil
}

// whole is a conversation that is over after one exchange.
func whole(c load.Conversation) benchConversation {
	return func(p *load.Plan, m *benchMessage) error {
		if m.send != "" || m.size != 0 || m.expect != "" {
			return fmt.Errorf("--as %s knows what to send and to expect", m.as)
		}
		p.Conversation, p.Reconnect = c, true
		return nil
	}
}

// greetings reads the tutorials' greeting.
type greetings struct{}

func (greetings) Open(_ context.Context, c net.Conn) (load.Exchanger, error) { return greeting{c}, nil }

type greeting struct{ c net.Conn }

func (g greeting) Exchange(ctx context.Context) error {
	text, err := simple.Greeting(ctx, g.c)
	if err == nil && text != simple.Welcome {
		return fmt.Errorf("%w: %q", load.ErrWrong, text)
	}
	return err
}

// capitals asks the tutorials' capitals server.
type capitals struct{}

func (capitals) Open(_ context.Context, c net.Conn) (load.Exchanger, error) { return capital{c}, nil }

type capital struct{ c net.Conn }

func (u capital) Exchange(ctx context.Context) error {
	text := []byte("hello, world")
	back, err := simple.Upper(ctx, u.c, text)
	if err == nil && string(back) != string(simple.Capitals(text)) {
		return fmt.Errorf("%w: %q", load.ErrWrong, back)
	}
	return err
}

// byteSize is a flag for sizes: 64, 64KiB, 1MiB.
type byteSize int64

// String is the size as Set takes it.
func (s *byteSize) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Set reads it.
func (s *byteSize) Set(text string) error {
	number, factor := text, int64(1)
	for unit, f := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			number, factor = n, f
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > 1<<40/factor {
		return errors.New("want a size above 0: 64, 16KiB, 1MiB")
	}
	*s = byteSize(n * factor)
	return nil
}

// Type is how help calls it.
func (s *byteSize) Type() string { return "SIZE" }
