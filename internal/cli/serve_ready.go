package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/farend-go/farend/app"
)

// announce says that everything is ready: in the file, in JSON on stdout, to
// the predecessor and the supervisor, and as a table on stderr. The file comes
// first: where it cannot be written, a predecessor serves on. Without the line
// on stdout nobody would know where to connect to; a predecessor's reader knows
// already, and may have gone.
func (s *serveRun) announce() error {
	r := s.Ready()
	if s.file != "" {
		if err := r.WriteFile(s.file); err != nil {
			return fmt.Errorf("writing the ready file: %w", err)
		}
	}
	if s.json { // not by the printer, which nobody asks how it went
		if _, err := s.out.Write(r.Line()); err != nil && !s.in.HandedOver() {
			return fmt.Errorf("writing the ready line: %w", err)
		}
	}
	if err := s.in.Ready(); err != nil {
		s.complain(fmt.Errorf("telling that it is ready: %w", err))
	}
	if !s.json && !s.quiet {
		s.talk.print([]byte(s.table(r, time.Since(s.begun)) + s.terms))
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
	width, names := 0, 8
	for _, l := range r.Services {
		width, names = max(width, len(l.Address)), max(names, len(l.Name))
	}
	for _, l := range r.Services {
		network := l.Network
		if isSecure(l.URL) {
			network = "tls"
		}
		line := fmt.Sprintf("  %-*s %-8s %-*s", names, l.Name, network, width, l.Address)
		if command := try[l.Name]; command != "" {
			if strings.HasPrefix(command, "farend") && (l.Network == "udp" || l.Network == "unixgram") {
				command = "echo | " + command // over datagrams the client speaks first
			}
			line += "  " + tryLine(command, l.URL, r.CAFile)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// terms says in a line what services of mail and news do with what they get, and
// who is let in: what nobody who tries them out would guess.
func terms(cfg app.Config, r app.Ready) string {
	keeps, logins := false, false
	for _, s := range app.Catalogue() {
		for _, l := range r.Services {
			if l.Name == s.Name {
				keeps, logins = keeps || s.Keeps, logins || s.Logins
			}
		}
	}
	var all []string
	switch {
	case keeps && cfg.Data == "":
		all = append(all, "kept in memory (--data DIR keeps it)", "nothing is relayed")
	case keeps:
		all = append(all, "kept in "+cfg.Data, "nothing is relayed")
	}
	if logins && len(cfg.Users) == 0 {
		all = append(all, "any name and password")
	}
	if len(all) == 0 {
		return ""
	}
	return "  " + strings.Join(all, "; ") + "\n"
}

// isSecure tells whether a listener's URL is one of TLS: the names of such
// schemes end with an s.
func isSecure(url string) bool {
	scheme, _, _ := strings.Cut(url, ":")
	return scheme == "tls" || strings.HasSuffix(scheme, "s")
}

// tryLine is a command to try: farend talk takes an endpoint, others a URL.
// Where a service usually is in clear, and is not here, it trusts the authority
// that signed its certificate.
func tryLine(command, url, ca string) string {
	if isSecure(url) && !strings.Contains(command, "CA_FILE") {
		for _, program := range []string{"farend talk ", "farend get ", "curl "} {
			command = strings.Replace(command, program, program+"--cacert CA_FILE ", 1)
		}
	}
	if strings.Contains(command, "farend talk") {
		url = strings.Replace(url, "://", ":", 1)
	}
	if ca == "" { // a certificate that was given is the system's to judge
		command = strings.Replace(command, "--cacert CA_FILE ", "", 1)
	}
	return strings.NewReplacer("CA_FILE", ca, "%s", url).Replace(command)
}
