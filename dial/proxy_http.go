package dial

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxConnectReply is how long the head of an answer to CONNECT may be.
const maxConnectReply = 16 << 10

// maxInterim is how many answers may come: 1xx are only announcements.
const maxInterim = 10

// HTTPReply is the status of an HTTP proxy that did not connect. 407 is
// ErrProxyAuth for errors.Is.
type HTTPReply int

func (r HTTPReply) Error() string {
	text := http.StatusText(int(r))
	if text != "" {
		text = " " + text
	}
	return fmt.Sprintf("the proxy answers %d%s", int(r), text)
}

// Is tells whether target is the error of the same meaning.
func (r HTTPReply) Is(target error) bool {
	return r == http.StatusProxyAuthRequired && target == ErrProxyAuth
}

// httpConnect says CONNECT (RFC 9110 section 9.3.6). It reads not a byte more
// than the head of the answer, since the far end may speak at once.
func httpConnect(rw io.ReadWriter, user, password, target string) error {
	if strings.ContainsAny(target, " \t\r\n\x00") {
		return errors.New("a name with white space in it is none")
	}
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if user != "" {
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(rw, request+"\r\n"); err != nil {
		return err
	}
	for range maxInterim {
		status, err := readConnectReply(rw)
		switch {
		case err != nil:
			return err
		case status >= 200 && status < 300:
			return nil
		case status >= 200 || status == http.StatusSwitchingProtocols:
			return HTTPReply(status)
		}
	}
	return errors.New("the proxy's answer does not come")
}

// readConnectReply reads one head by single bytes: there is one for each
// stream, and whatever follows it must stay on the connection.
func readConnectReply(r io.Reader) (status int, err error) {
	var head bytes.Buffer
	one := make([]byte, 1)
	for !bytes.HasSuffix(head.Bytes(), []byte("\n\r\n")) && !bytes.HasSuffix(head.Bytes(), []byte("\n\n")) {
		if head.Len() == maxConnectReply {
			return 0, errors.New("the proxy's answer does not end")
		}
		if _, err := io.ReadFull(r, one); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		head.WriteByte(one[0])
	}
	resp, err := http.ReadResponse(bufio.NewReader(&head), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, fmt.Errorf("this is no HTTP proxy: %w", err)
	}
	resp.Body.Close() // a 2xx to CONNECT has none, and what else comes is not read
	return resp.StatusCode, nil
}
