package talk_test

import (
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/cli/talk"
)

// screen is a terminal that knows what a line editor needs: it wraps at its
// right edge, moves its cursor, and clears to the end of a line.
type screen struct {
	mu      sync.Mutex
	changed *sync.Cond
	width   int
	cells   [][]rune
	x, y    int
	escape  string // one that has begun
	typed   io.Reader
	keys    *io.PipeWriter
}

func newScreen(width int) *screen {
	s := &screen{width: width, cells: [][]rune{nil}}
	s.changed = sync.NewCond(&s.mu)
	s.typed, s.keys = io.Pipe()
	return s
}

func (s *screen) Read(p []byte) (int, error) { return s.typed.Read(p) }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range string(p) {
		s.put(r)
	}
	s.changed.Broadcast()
	return len(p), nil
}

func (s *screen) put(r rune) {
	switch {
	case s.escape != "":
		s.escape += string(r)
		if len(s.escape) > 2 && (r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			s.obey(s.escape[2:len(s.escape)-1], r)
			s.escape = ""
		}
	case r == 0x1b:
		s.escape = string(r)
	case r == '\r':
		s.x = 0
	case r == '\n':
		s.y++
	default:
		if s.x == s.width { // the edge is only left with the next character
			s.x, s.y = 0, s.y+1
		}
		s.row()[s.x] = r
		s.x++
	}
	s.row()
}

// row is the one the cursor is in, as wide as the screen.
func (s *screen) row() []rune {
	for len(s.cells) <= s.y {
		s.cells = append(s.cells, nil)
	}
	for len(s.cells[s.y]) < s.width {
		s.cells[s.y] = append(s.cells[s.y], ' ')
	}
	return s.cells[s.y]
}

func (s *screen) obey(number string, what rune) {
	n, err := strconv.Atoi(number)
	if err != nil {
		n = 1
	}
	switch what {
	case 'A':
		s.y = max(0, s.y-n)
	case 'B':
		s.y += n
	case 'C':
		s.x = min(s.width-1, s.x+n)
	case 'D':
		s.x = max(0, min(s.x, s.width-1)-n)
	case 'K':
		for i := min(s.x, s.width-1); i < s.width; i++ {
			s.row()[i] = ' '
		}
	}
}

func (s *screen) text() string {
	var lines []string
	for _, row := range s.cells {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// until waits for the screen to be what is wanted.
func (s *screen) until(t *testing.T, what string, is func(text string) bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(10*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !is(s.text()) {
		if late {
			t.Fatalf("no %q on the screen:\n%s", what, s.text())
		}
		s.changed.Wait()
	}
}

func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	s.until(t, want, func(text string) bool { return strings.Contains(text, want) })
}

func (s *screen) ends(t *testing.T, want string) {
	t.Helper()
	s.until(t, want, func(text string) bool { return strings.HasSuffix(text, want) })
}

func (s *screen) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil {
		t.Fatal(err)
	}
}

// terminal is the line editor on s.
func (s *screen) terminal(t *testing.T, interrupt func()) *talk.Terminal {
	term := talk.NewTerminal(s, func() (int, int, error) { return s.width, 24, nil }, interrupt)
	t.Cleanup(func() {
		term.Close()
		s.keys.Close()
	})
	return term
}
