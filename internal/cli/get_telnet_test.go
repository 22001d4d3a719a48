package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
)

// TestGetTelnet types what is piped, and writes what the server says.
func TestGetTelnet(t *testing.T) {
	answer := func(_ *telnet.Terminal, line string) (string, bool) { return "<" + line + ">\n", line != "bye" }
	s := telnettest.New(t, answer, telnettest.Options{})
	const heard = telnettest.Prompt + "<one>\r\n" + telnettest.Prompt + "<bye>\r\n"
	for _, c := range []struct {
		args, stdin, want string
		code              int
	}{
		{"telnet://" + s.Addr, "one\nbye\n", heard, 0},
		{"telnet://" + s.Addr + "/", "one\n", strings.TrimSuffix(heard, "<bye>\r\n"), 0}, // the end of what is typed ends it too
		{"-k telnets://" + s.Addr, "", "", 35},
		{"telnet://" + s.Addr + "/path", "", "", 56},
		{"--range 0-1 telnet://" + s.Addr, "", "", 36},
		{"telnet://127.0.0.1:0", "", "", 7},
	} {
		var out, said bytes.Buffer
		code := Main(t.Context(), append([]string{"get"}, strings.Fields(c.args)...), strings.NewReader(c.stdin), &out, &said, nil)
		if code != c.code || out.String() != c.want {
			t.Errorf("get %s: status %d, %q, %s", c.args, code, out.String(), said.String())
		}
		if lines := strings.Count(said.String(), "\n"); code != 0 && lines != 1 {
			t.Errorf("get %s says %d lines: %q", c.args, lines, said.String())
		}
	}
}
