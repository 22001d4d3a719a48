package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/proto/xmlrpc"
)

// rpcCalls makes one call of XML-RPC again and again, on connections that stay
// open.
type rpcCalls struct{ request []byte }

// benchCalls is xmlrpc: --send is a method and its arguments, as for farend rpc.
func benchCalls(p *load.Plan, m *benchMessage) error {
	if m.size != 0 || m.expect != "" {
		return fmt.Errorf("--as %s wants any answer but a fault: --size and --expect have no meaning", m.as)
	}
	words := strings.Fields(cmp.Or(m.send, "system.listMethods"))
	if len(words) == 0 {
		return errors.New("--send: want 'METHOD ARG...'")
	}
	args, err := rpcArguments(words[1:])
	if err != nil {
		return fmt.Errorf("--send: %w", err)
	}
	var body bytes.Buffer
	if err := xmlrpc.EncodeCall(&body, words[0], args, xmlrpc.Options{Extensions: true}); err != nil {
		return fmt.Errorf("--send: %w", err)
	}
	path := m.url.EscapedPath()
	if path == "" || path == "/" {
		path = "/RPC2"
	}
	b := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: farend\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n", path, m.url.Host, body.Len())
	if m.user != "" {
		b = fmt.Appendf(b, "Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(m.user+":"+m.password)))
	}
	p.Conversation = rpcCalls{append(append(b, "\r\n"...), body.Bytes()...)}
	return nil
}

func (c rpcCalls) Open(_ context.Context, nc net.Conn) (load.Exchanger, error) {
	return rpcTalk{c, nc, bufio.NewReader(nc)}, nil
}

type rpcTalk struct {
	rpcCalls
	c net.Conn
	r *bufio.Reader
}

// Exchange makes the call. An answer in which the server says that it closes
// is the connection's last.
func (c rpcTalk) Exchange(context.Context) error {
	if _, err := c.c.Write(c.request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: HTTP %s", load.ErrWrong, resp.Status)
	}
	if err := xmlrpc.DecodeResponse(resp.Body, nil, xmlrpc.Options{}); err != nil {
		return fmt.Errorf("%w: %w", load.ErrWrong, err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
