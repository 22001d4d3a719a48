package cli

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// mirrorTree is farend get -r.
func (g *getCommand) mirrorTree(ctx context.Context, c *transfer.Client, u *url.URL) error {
	dir := g.dir
	if len(g.files) == 1 {
		dir = g.files[0]
	}
	if dir == "" {
		dir = path.Base(strings.TrimSuffix(u.Path, "/"))
		if transfer.SafeName(dir) != nil || u.Path == "" {
			dir = u.Hostname()
		}
	}
	return g.mirrored(ctx, "get", u, g.mirror, func(report func(r transfer.Result)) error {
		return c.Mirror(ctx, u, dir, g.mirror, report)
	})
}

// tally is what a mirror has done.
type tally struct {
	moved, resumed, skipped, untimed, deleted, failed, partWay int

	bytes int64
}

func (t *tally) add(r transfer.Result) {
	switch {
	case r.Err != nil:
		t.failed++
	case r.Action == transfer.ActionSkip:
		t.skipped++
		if r.Skipped == transfer.SameSize {
			t.untimed++
		}
	case r.Action == transfer.ActionDelete:
		t.deleted++
	default:
		t.moved++
		t.bytes += r.Bytes
		if r.Resumed > 0 {
			t.resumed++
		}
	}
}

// String is the last line.
func (t *tally) String() string {
	files := "files"
	if t.moved == 1 {
		files = "file"
	}
	parts := []string{fmt.Sprintf("%d %s moved, %s", t.moved, files, byteCount(t.bytes))}
	more := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	more(t.resumed, "of them resumed")
	more(t.skipped, "the same already")
	more(t.untimed, "of these by size alone, for the server has no time: see --verify")
	more(t.deleted, "deleted")
	more(t.failed, "failed")
	more(t.partWay, "part-way")
	return strings.Join(parts, ", ")
}

// byteCount is a number of bytes for people.
func byteCount(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= 1024; f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// mirrored runs a mirror, tells of each file and of the whole, and chooses the
// exit status: that of the first failure.
func (t *transferCommand) mirrored(ctx context.Context, verb string, u *url.URL, how transfer.Mirror, run func(report func(r transfer.Result)) error) error {
	var sum tally
	code := 0
	done := t.progress(false)
	err := run(func(r transfer.Result) {
		if ctx.Err() != nil && r.Err != nil {
			if r.Bytes > 0 {
				sum.partWay++
			}
			return // it says only that
		}
		sum.add(r)
		switch {
		case t.json:
			t.event(r, transfer.Code(r.Err), false)
		case how.DryRun && r.Err == nil && r.Action != transfer.ActionSkip:
			fmt.Fprintf(t.out, "%s %s\n", r.Action, r.File)
		}
		if r.Err != nil {
			t.sayError(during(verb+" "+r.URL, tidy(r.Err)))
			if code == 0 {
				code = transfer.Code(r.Err)
			}
		}
	})
	done()
	if ctx.Err() != nil {
		t.say("stopped: %v. The same command goes on", &sum)
		return ctx.Err()
	}
	if err != nil {
		return exit(transfer.Code(err), during(verb+" "+u.Redacted(), tidy(err)))
	}
	if !how.DryRun {
		t.say("%v", &sum)
	}
	if code != 0 {
		return exit(code, nil)
	}
	return nil
}
