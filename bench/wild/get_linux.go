package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// getRows are clients that fetch many small files at once by HTTP, into files and
// to standard output, and a single one, which is little but their start.
func (l *lab) getRows() []row {
	n := 1000
	if l.quick {
		n = 50
	}
	var rows []row
	for _, g := range []*fetched{
		{name: "where nothing is", into: func(run int) (tree, dir string) { return "a", "into" + strconv.Itoa(run) }},
		{name: "over other files", into: func(run int) (tree, dir string) { return "ab"[run%2 : run%2+1], "into" }},
		{name: "over the same files", into: func(int) (tree, dir string) { return "a", "into" }},
	} {
		g.n, g.runs = n, map[*site]int{}
		rows = append(rows, row{
			name: fmt.Sprintf("get of %d files, %s", n, g.name), unit: "file", units: float64(n), scale: 1e6, work: g.fetch,
			servers: []server{
				{"farend get", "", g.client("get", "-q", "-j", "50", "-O", "--output-dir", "INTO", "FROM")},
				{"curl", "curl", g.client("curl", "-sZ", "--parallel-max", "50", "--remote-name-all", "--output-dir", "INTO", "FROM")},
			},
		})
	}
	for _, n := range []int{n, 1} {
		g := &fetched{n: n}
		rows = append(rows, row{
			name: fmt.Sprintf("get of %d files, to standard output", n), unit: "file", units: float64(n), scale: 1e6, work: g.show,
			servers: []server{
				{"farend get", "", g.client("get", "-q", "-j", "50", "FROM")},
				{"curl", "curl", g.client("curl", "-sZ", "--parallel-max", "50", "FROM")},
			},
		})
	}
	return rows
}

// fetched is the files of a row.
type fetched struct {
	name string
	n    int
	into func(run int) (tree, dir string) // nil: to standard output
	runs map[*site]int
}

// fileSize is that of each file.
const fileSize = 1000

// client is one with a server of its own, which is not measured. Its trees have
// files of the same names and lengths.
func (g *fetched) client(args ...string) func(ctx context.Context, l *lab, dir string) (*site, error) {
	return func(ctx context.Context, l *lab, dir string) (*site, error) {
		web, err := farend("http", "--root", "DIR/files").start(ctx, l, dir)
		if err != nil {
			return nil, err
		}
		for _, tree := range []string{"a", "b"} {
			if err := g.make(filepath.Join(dir, "files", tree)); err != nil {
				web.stop()
				return nil, err
			}
		}
		command := args
		if args[0] == "get" {
			command = append([]string{l.farend}, args...)
		}
		least := 0
		if g.into == nil {
			least = g.n * fileSize
		}
		s, err := startIdle(least, command)(ctx, l, dir)
		if err != nil {
			web.stop()
			return nil, err
		}
		s.undo, s.at = web.stop, map[string]string{"dir": dir, "from": web.at["url"]}
		return s, nil
	}
}

func (g *fetched) make(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r, content := rand.NewChaCha8([32]byte{byte(len(dir)), dir[len(dir)-1]}), make([]byte, fileSize)
	for i := range g.n {
		_, _ = r.Read(content) // it never fails
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i+1)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (g *fetched) from(s *site, tree string) string {
	return fmt.Sprintf("%s/%s/[1-%d]", strings.TrimSuffix(s.at["from"], "/"), tree, g.n)
}

// show runs the client once; does looks at how much it writes.
func (g *fetched) show(_ context.Context, _ *lab, s *site) error {
	return s.does(strings.NewReplacer("FROM", g.from(s, "a")))
}

// fetch runs the client once, and looks at how many files came and at the last.
func (g *fetched) fetch(_ context.Context, _ *lab, s *site) error {
	tree, sub := g.into(g.runs[s])
	g.runs[s]++
	dir := filepath.Join(s.at["dir"], sub)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := s.does(strings.NewReplacer("FROM", g.from(s, tree), "INTO", dir)); err != nil {
		return err
	}
	all, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(all) != g.n {
		return fmt.Errorf("%d files came", len(all))
	}
	last := strconv.Itoa(g.n)
	got, err := os.ReadFile(filepath.Join(dir, last))
	if err != nil {
		return err
	}
	want, err := os.ReadFile(filepath.Join(s.at["dir"], "files", tree, last))
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%s is not what was served", last)
	}
	return err
}
