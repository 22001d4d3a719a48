package load

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxMessage bounds what is sent, and what is expected, in one request.
const maxMessage = 64 << 20

// ParseText reads a text with the escapes \n \r \t \0 \\ and \xHH.
func ParseText(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, fmt.Errorf(`text %q: a backslash ends it; \\ is a backslash`, s)
		}
		switch s[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '0':
			out = append(out, 0)
		case '\\':
			out = append(out, '\\')
		case 'x':
			n, err := hexByte(s[i+1:])
			if err != nil {
				return nil, fmt.Errorf("text %q: %w", s, err)
			}
			out = append(out, n)
			i += 2
		default:
			return nil, fmt.Errorf(`text %q: \%c is no escape (\n \r \t \0 \\ \xHH are)`, s, s[i])
		}
	}
	return out, nil
}

func hexByte(s string) (byte, error) {
	if len(s) >= 2 {
		if n, err := strconv.ParseUint(s[:2], 16, 8); err == nil {
			return byte(n), nil
		}
	}
	return 0, errors.New(`\x takes two hexadecimal digits`)
}

// FormatText writes b as ParseText reads it: ASCII as it is, with escapes for
// the rest.
func FormatText(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		switch {
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case c == '\\':
			out.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// Pattern is n bytes of which no part soon repeats, so that answers that are
// cut or shifted show.
func Pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(12345)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}
