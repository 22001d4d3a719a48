package imap

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/wire"
)

// inBody looks for a text, in lower case, in the texts of a message.
func inBody(ctx context.Context, msg io.ReaderAt, root *message.Part, want string) (bool, error) {
	for part := range root.Walk {
		if len(part.Parts) > 0 || part.Type.Type != "text" {
			continue
		}
		yes, err := inText(ctx, part.Text(msg), want)
		if yes || err != nil {
			return yes, err
		}
	}
	return false, nil
}

// inText looks for a text, in lower case, in what r reads, holding little of
// it.
func inText(ctx context.Context, r io.Reader, want string) (bool, error) {
	if want == "" {
		return true, nil
	}
	p := wire.Get(wire.Large)
	defer wire.Put(p)
	held := "" // lower case, from before
	rest := 0  // bytes of a character at the start of p that is not whole
	for {
		n, err := io.ReadFull(r, p[rest:])
		n += rest
		whole := n
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return false, err
		}
		if !last {
			for whole > 0 && n-whole < utf8.UTFMax && !utf8.RuneStart(p[whole-1]) {
				whole--
			}
			whole = max(whole-1, 0) // the character that p[whole-1] begins may go on
		}
		text := held + strings.ToLower(string(p[:whole]))
		if strings.Contains(text, want) {
			return true, nil
		}
		if last {
			return false, ctx.Err()
		}
		held = text[max(0, len(text)-len(want)):]
		rest = copy(p, p[whole:n])
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
}
