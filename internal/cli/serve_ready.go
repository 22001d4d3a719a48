package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/farend-go/farend/app"
)

// announce says that everything is ready: in JSON on stdout, or as a table on
// stderr, and in the file.
func (e *env) announce(r app.Ready, file string, data, talk *printer, took time.Duration) error {
	if file != "" {
		if err := r.WriteFile(file); err != nil {
			return fmt.Errorf("writing the ready file: %w", err)
		}
	}
	switch {
	case e.json:
		data.print(r.Line())
	case !e.quiet:
		talk.print([]byte(e.table(r, took)))
	}
	return nil
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
