package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Side is one side of a conversation.
type Side byte

// The sides, as they are written.
const (
	ClientSide Side = 'C'
	ServerSide Side = 'S'
)

// String is the side's letter.
func (s Side) String() string { return string(s) }

// Other is the other side.
func (s Side) Other() Side {
	if s == ClientSide {
		return ServerSide
	}
	return ClientSide
}

// A Script is a conversation to be played.
type Script struct {
	Name  string // for errors: a file's name
	Steps []Step
}

// Act is the kind of a Step.
type Act byte

// The acts, as they are written behind the side's letter.
const (
	Says   Act = ':' // Bytes are said
	Fits   Act = '~' // a line is said that Pattern fits
	Ends   Act = '.' // the side ends its half
	Resets Act = '!' // the side resets the connection
)

// A Step is one line of a Script.
type Step struct {
	Side    Side
	Act     Act
	Bytes   []byte // Says: with the line's end; Fits: what to say when the side is played, nil if unknown
	Masked  bool   // Says: a secret follows Bytes, up to the end of the line
	Pattern string // Fits: a regular expression for the whole line without its CRLF
	Line    int    // in the file, from 1

	fits *regexp.Regexp
}

// Parse reads a script; name is for errors, which name the line too.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if err := s.parseLine(strings.TrimRight(line, "\r\n"), number); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	return s, nil
}

// Files reads the scripts of a file system that fit a pattern (fs.Glob), in
// the order of their names. It is an error when there is none.
func Files(fsys fs.FS, pattern string) ([]*Script, error) {
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("transcripts %s: %w", pattern, fs.ErrNotExist)
	}
	var out []*Script
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(name, string(text))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (s *Script) parseLine(line string, number int) error {
	line = strings.TrimLeft(line, " \t")
	if line != "" && line[0] >= '0' && line[0] <= '9' { // the time
		offset, rest, _ := strings.Cut(line, " ")
		if _, err := strconv.ParseFloat(offset, 64); err != nil {
			return fmt.Errorf("%q is neither C: nor S: nor a time", offset)
		}
		line = strings.TrimLeft(rest, " \t")
	}
	if line == "" || line[0] == '#' {
		return nil
	}
	if len(line) < 2 || line[0] != byte(ClientSide) && line[0] != byte(ServerSide) {
		return errors.New("a line begins with C: S: C~ S~ C= S= C. S. C! S! or #")
	}
	step := Step{Side: Side(line[0]), Act: Act(line[1]), Line: number}
	text := line[2:]
	switch step.Act {
	case Ends, Resets:
		if text != "" {
			return fmt.Errorf("nothing follows %q", line[:2])
		}
		s.Steps = append(s.Steps, step)
		return nil
	case Says, Fits, '=':
	default:
		return fmt.Errorf("%q is not known: C: says, C~ fits, C= is its example, C. ends, C! resets", line[:2])
	}
	if text != "" && text[0] != ' ' {
		return fmt.Errorf("a blank follows %q", line[:2])
	}
	return s.parseText(step, strings.TrimPrefix(text, " "))
}

// parseText reads what follows "C: ", "C~ " and "C= ".
func (s *Script) parseText(step Step, text string) (err error) {
	if step.Act == Fits {
		step.Pattern = text
		if step.fits, err = regexp.Compile("^(?:" + text + ")$"); err != nil {
			return err
		}
		s.Steps = append(s.Steps, step)
		return nil
	}
	var open bool
	if step.Bytes, step.Masked, open, err = unescape(text); err != nil {
		return err
	}
	if !open && !step.Masked {
		step.Bytes = append(step.Bytes, "\r\n"...)
	}
	if step.Act == Says {
		s.Steps = append(s.Steps, step)
		return nil
	}
	last := len(s.Steps) - 1
	if last < 0 || s.Steps[last].Act != Fits || s.Steps[last].Side != step.Side || s.Steps[last].Bytes != nil {
		return fmt.Errorf("%c= stands under the %c~ of which it is the example", step.Side, step.Side)
	}
	if step.Masked || !s.Steps[last].fit(step.Bytes) {
		return errors.New("the pattern does not fit its example")
	}
	s.Steps[last].Bytes = step.Bytes
	return nil
}

// fit tells whether the pattern fits a line with its CRLF.
func (s *Step) fit(line []byte) bool {
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	return ok && s.fits.Match(line)
}

// String is the script as Parse reads it, without comments and times.
func (s *Script) String() string {
	var b []byte
	for _, step := range s.Steps {
		b = step.append(b)
	}
	return string(b)
}

func (s Step) append(b []byte) []byte {
	b = append(b, byte(s.Side), byte(s.Act))
	switch s.Act {
	case Fits:
		b = append(append(append(b, ' '), s.Pattern...), '\n')
		if s.Bytes == nil {
			return b
		}
		b = append(b, byte(s.Side), '=')
		fallthrough
	case Says:
		b = appendText(b, s.Bytes, s.Masked)
	}
	return append(b, '\n')
}

// appendText writes a line's bytes behind the two letters, with a blank.
func appendText(b, text []byte, masked bool) []byte {
	text, whole := bytes.CutSuffix(text, []byte("\r\n"))
	if masked && whole {
		text, whole = append(slices.Clip(text), "\r\n"...), false
	}
	if len(text) > 0 || masked || !whole {
		b = append(b, ' ')
	}
	b = escape(b, text, masked)
	switch {
	case masked:
		b = append(b, "***"...)
	case !whole:
		b = append(b, `\c`...)
	case len(text) > 0 && text[len(text)-1] == ' ': // or it could not be seen
		b = append(b[:len(b)-1], `\x20`...)
	}
	return b
}

// escape writes text so that unescape reads it; stars are escaped where they
// could be taken for a mask.
func escape(b, text []byte, masked bool) []byte {
	stars := masked || bytes.Contains(text, []byte("***"))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '*' && stars:
			b = append(b, `\*`...)
		case r != utf8.RuneError && unicode.IsPrint(r):
			b = append(b, text[:n]...)
		default:
			for _, c := range text[:n] {
				b = fmt.Appendf(b, `\x%02x`, c)
			}
		}
		text = text[n:]
	}
	return b
}

// unescape reads what escape and appendText wrote: masked is a mask at the end,
// open says that the line has no end.
func unescape(text string) (out []byte, masked, open bool, err error) {
	out = []byte{}
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case rest == `\c`:
			return out, false, true, nil
		case rest == "***":
			return out, true, false, nil
		case strings.HasPrefix(rest, "***"):
			return nil, false, false, errors.New(`*** hides the rest of a line; write \* for a star`)
		case rest[0] != '\\':
			out = append(out, rest[0])
		case len(rest) >= 4 && rest[1] == 'x':
			c, err := strconv.ParseUint(rest[2:4], 16, 8)
			if err != nil {
				return nil, false, false, fmt.Errorf("%q are no two hexadecimal digits", rest[2:4])
			}
			out = append(out, byte(c))
			i += 3
		default:
			at := -1
			if len(rest) > 1 {
				at = strings.IndexByte(`rnt\*`, rest[1])
			}
			if at < 0 {
				return nil, false, false, fmt.Errorf(`%q is no escape (\r \n \t \\ \* \xNN, and \c at the end)`, rest[:min(2, len(rest))])
			}
			out = append(out, "\r\n\t\\*"[at])
			i++
		}
	}
	return out, false, false, nil
}
