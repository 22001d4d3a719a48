package app

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
)

// Ready is what runs: the ready line of farend serve.
type Ready struct {
	Ready    bool        `json:"ready"`
	PID      int         `json:"pid"`
	CAFile   string      `json:"ca_file"` // the certificate of the authority that signed ours; "": none was made
	Skipped  []Skipped   `json:"skipped"`
	Services []Listening `json:"services"`
}

// Listening is one listener.
type Listening struct {
	Name    string `json:"name"`
	Network string `json:"network"` // tcp, udp, unix or unixgram
	Address string `json:"address"`
	URL     string `json:"url"`
}

// HostPort takes the address apart; both are empty for a path.
func (l Listening) HostPort() (host, port string) {
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil || l.Network == "unix" || l.Network == "unixgram" {
		return "", ""
	}
	return host, port
}

// Skipped is a service whose default port was taken.
type Skipped struct {
	Name    string `json:"name"`
	Network string `json:"network"`
	Address string `json:"address"`
	Error   string `json:"error"`
}

// Line is the ready line: one line of JSON, with its end.
func (r Ready) Line() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // texts and numbers only
	}
	return append(b, '\n')
}

// WriteFile writes the ready line to path: at once, by renaming, so that who
// finds the file finds all of it.
func (r Ready) WriteFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when all went well
	_, err = f.Write(r.Line())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
