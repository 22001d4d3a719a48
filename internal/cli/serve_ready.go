package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/farend-go/farend/app"
)

// announce says that everything is ready: in the file, to the predecessor and
// the supervisor, and in JSON on stdout, or as a table on stderr. The file comes
// first: where it cannot be written, a predecessor serves on.
func (s *serveRun) announce() error {
	r := s.Ready()
	if s.file != "" {
		if err := r.WriteFile(s.file); err != nil {
			return fmt.Errorf("writing the ready file: %w", err)
		}
	}
	if err := s.in.Ready(); err != nil {
		s.complain(fmt.Errorf("telling that it is ready: %w", err))
	}
	switch {
	case s.json:
		s.data.print(r.Line())
	case !s.quiet:
		s.talk.print([]byte(s.table(r, time.Since(s.begun))))
	}
	if err := s.in.Close(); err != nil {
		s.complain(err)
	}
	return nil
}

// complain says in one line, -q or not, what went wrong and ends nothing.
func (s *serveRun) complain(err error) {
	s.talk.print([]byte("farend: serve: " + oneLine(err) + "\n"))
}

// table is what listens where; on a terminal, with a command to try for each.
func (e *env) table(r app.Ready, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "farend %s   ready in %v\n", version(), took.Round(time.Millisecond))
	if r.CAFile != "" {
		fmt.Fprintf(&b, "  certificates are signed by %s\n", r.CAFile)
	}
	try := map[string]string{}
	if isTerminal(e.err) {
		for _, s := range app.Catalogue() {
			try[s.Name] = s.Try
		}
	}
	width := 0
	for _, l := range r.Services {
		width = max(width, len(l.Address))
	}
	for _, l := range r.Services {
		network := l.Network
		if strings.HasPrefix(l.URL, "tls:") {
			network = "tls"
		}
		line := fmt.Sprintf("  %-8s %-8s %-*s", l.Name, network, width, l.Address)
		if command := try[l.Name]; command != "" {
			if strings.HasPrefix(command, "farend") && (l.Network == "udp" || l.Network == "unixgram") {
				command = "echo | " + command // over datagrams the client speaks first
			}
			line += "  " + strings.Replace(command, "%s", strings.Replace(l.URL, "://", ":", 1), 1)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
