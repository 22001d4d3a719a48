// Package ship builds the farend binary as users get it. It is the heir of the
// "go build" in everybody's Makefile.
package ship

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds cmd/farend of the tree that this module replaces farend with,
// into dir, and gives the binary's path.
func Build(ctx context.Context, dir string) (path string, err error) {
	tree, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/farend-go/farend").Output()
	if err != nil {
		return "", fmt.Errorf("where is farend? %w", err)
	}
	path = filepath.Join(dir, "farend")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/farend")
	c.Dir, c.Env = strings.TrimSpace(string(tree)), append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building farend: %w\n%s", err, text)
	}
	return path, nil
}
