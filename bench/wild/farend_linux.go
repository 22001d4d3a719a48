package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// farend is a service of ours with flags of its own; in them DIR stands for
// the server's folder.
func farend(service string, flags ...string) server {
	return server{name: "farend", start: func(ctx context.Context, l *lab, dir string) (*site, error) {
		args := []string{"serve", service, "--listen", service + "=127.0.0.1:0", "--json", "-q", "--ca-out", filepath.Join(dir, "ca.pem")}
		for _, f := range flags {
			args = append(args, strings.ReplaceAll(f, "DIR", dir))
		}
		for _, sub := range []string{"files", "data"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
				return nil, err
			}
		}
		cmd := exec.CommandContext(ctx, l.farend, args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		p, err := start(cmd)
		if err != nil {
			return nil, err
		}
		line, err := bufio.NewReader(out).ReadBytes('\n')
		var ready struct {
			Services []struct{ Name, Address, URL string }
		}
		if err == nil {
			err = json.Unmarshal(line, &ready)
		}
		if err == nil && len(ready.Services) == 0 {
			err = errors.New("nothing listens")
		}
		if err != nil {
			p.stop()
			return nil, fmt.Errorf("it did not get ready: %w", err)
		}
		at := map[string]string{"files": filepath.Join(dir, "files")}
		for _, one := range ready.Services {
			at[one.Name] = one.Address
			if one.Name == service {
				at["address"], at["url"] = one.Address, one.URL
			}
		}
		return &site{process: p, at: at}, nil
	}}
}
