package imap

import (
	"context"
	"net"
	"strings"

	"github.com/farend-go/farend/conv/deflate"
)

// compress begins COMPRESS=DEFLATE (RFC 4978 section 3).
func (s *session) compress(_ context.Context, c Command) (Status, error) {
	switch {
	case !strings.EqualFold(string(c.Args), "DEFLATE"):
		return Status{Kind: BAD, Text: "DEFLATE only"}, nil
	case s.deflated:
		return Status{NO, Code{Name: "COMPRESSIONACTIVE"}, "DEFLATE is active already"}, nil
	}
	return Status{Text: "DEFLATE active"}, nil
}

// deflate puts the compression between the talk and its connection.
func (s *session) deflate(ctx context.Context) error {
	return s.talk.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		s.deflated = true
		return deflate.New(below), nil
	})
}
