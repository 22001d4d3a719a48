package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// getCommand is what one farend get was told.
type getCommand struct {
	transferCommand

	files    []string // -o
	named    bool     // -O
	dir      string   // --output-dir
	span     string   // --range
	resume   string   // -C
	urlsFrom string
	globOff  bool
	follow   bool
	include  bool
	mtime    bool
	as       string // --as

	oneForAll bool // the one -o is for every URL

	mirror transfer.Mirror
	tree   bool // -r
}

func newGet(e *env) *cobra.Command {
	g := &getCommand{transferCommand: transferCommand{env: e}}
	c := &cobra.Command{
		Use:   "get [flags] URL...",
		Short: "Fetch what URLs name, or mirror it (more: --help-all)",
		Example: `farend get https://localhost:8443/ -k            # to standard output
farend get -O -C - 'ftp://localhost:2121/big-[1-9].iso' -j 4
farend get -r ftp://localhost:2121/pub/ -o pub/  # a tree; again: what is new`,
		Annotations: map[string]string{details: getDetails},
		Args:        func(_ *cobra.Command, args []string) error { return g.check(args) },
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if g.helpAll {
			writeHelpAll(e.out, c)
			return nil
		}
		return g.run(c.Context(), args)
	}
	f := c.Flags()
	f.StringArrayVarP(&g.files, "output", "o", nil, "write to `FILE`, or into a directory; again")
	f.BoolVarP(&g.named, "remote-name", "O", false, "write to files of the URLs' own names")
	f.StringVarP(&g.resume, "continue-at", "C", "", "go on at byte `N`; -: where the file ends")
	f.StringVar(&g.span, "range", "", "only bytes `A-B`, A- or the last -N")
	g.flags(f)
	f.BoolVarP(&g.follow, "location", "L", false, "follow redirects")
	f.IntVar(&g.o.Segments, "segments", 1, "fetch a large file in `N` pieces at once")
	f.BoolVarP(&g.include, "include", "i", false, "the answer's head before its body")
	f.BoolVarP(&g.tree, "recursive", "r", false, "mirror a tree: what is new or other")
	f.StringVar(&g.as, "as", "", "imap: a mailbox as `list`, mbox, maildir or eml")
	f.BoolVar(&g.mirror.Delete, "delete", false, "-r: remove here what is not there")
	f.BoolVar(&g.mirror.DryRun, "dry-run", false, "-r: only say what would be done")
	f.BoolVar(&g.mirror.Verify, "verify", false, "-r: compare contents, not only size and time")
	f.StringVar(&g.urlsFrom, "urls-from", "", "more URLs from `FILE`, one a line; - is standard input")
	f.BoolVarP(&g.globOff, "globoff", "g", false, "take [1-9] and {a,b} in URLs as they stand")
	f.StringVar(&g.dir, "output-dir", "", "where -O and -o write")
	f.BoolVarP(&g.mtime, "remote-time", "R", false, "give files the time of theirs")
	hide(f, "dry-run", "verify", "segments", "urls-from", "globoff", "output-dir", "remote-time", "as")
	return c
}

// getDetails is what farend get --help-all and its man page say more.
const getDetails = `The exit status is that of the first URL that failed, with curl's numbers: 6 no such host, 7 no connection, 9 access
refused, 18 partial, 22 status of 400 and above with -f, 23 cannot write, 28 timeout, 36 cannot resume, 37 no such file
here, 47 too many redirects, 52 no answer, 56 receive failure, 60 bad certificate, 64 no TLS there, 67 login refused,
78 no such thing. 2 is usage.

A file grows as FILE.part and gets its name when it is whole. A download that breaks off leaves FILE.part and
FILE.part.json, a note of its version: the same command goes on there, or begins anew where the file has changed. -C -
goes on with a FILE that anybody wrote. Of a small file that is here already, byte by byte, only the time is set.
--json prints an object for each URL when it is finished; where the data itself goes to standard output, it goes to
standard error.

--segments N fetches a file of 2 MiB and more in up to N pieces at once, by ftp and http, into a file of this disk (-o, -O
or -r). Where the server gives no parts, or lets no more of us in, it comes in one; so it does, from the beginning, where pieces
would be of different versions (ETag). The note tells which pieces are here.

[1-1000], [01-10:2], [a-z] and {one,two} in a URL stand for all of them; #1 in FILE is what the first one stands for.

A mailbox, imap://HOST/BOX or what imap://HOST/BOX?QUERY finds, is listed; -o FILE.mbox or --as mbox makes an mbox of it
and -o DIR/ a Maildir, --as eml a file for each message in DIR. The same command again fetches what is new: of an mbox
FILE.mbox.json notes what is in it, in a directory the files' names do. Flags and dates are kept. -r imap://HOST/ -o DIR
makes one Maildir of all mailboxes, with folders as Maildir++ has them.

-r follows directories of ftp and file, listings of http (those of farend, nginx, Apache, lighttpd, IIS, Caddy, Python and
Go) and menus of gopher below the URL. Nothing is written outside the target directory, whatever names come.`

func (g *getCommand) check(args []string) error {
	switch {
	case g.o.Segments < 1:
		return fmt.Errorf("get: --segments %d: at least one", g.o.Segments)
	case len(args) == 0 && g.urlsFrom == "" && !g.helpAll:
		return errors.New("get: what? (farend get http://localhost:8080/)")
	case g.tree && (g.named || g.span != "" || g.resume != "" || g.include):
		return errors.New("get: -r goes with none of -O, -C, -i and --range")
	case !g.tree && (g.mirror.Delete || g.mirror.DryRun || g.mirror.Verify):
		return errors.New("get: --delete, --dry-run and --verify are for -r")
	case !slices.Contains([]string{"", transfer.AsList, transfer.AsMbox, transfer.AsMaildir, transfer.AsEML}, g.as):
		return errors.New("get: --as " + g.as + ": want list, mbox, maildir or eml")
	case g.span != "" && g.resume != "":
		return errors.New("get: -C and --range: one of them")
	case g.tree && len(args) != 1:
		return errors.New("get: -r mirrors one URL at a time")
	case g.tree && len(g.files) > 1:
		return errors.New("get: -r has one directory to write to")
	}
	return nil
}

func (g *getCommand) run(ctx context.Context, args []string) error {
	jobs, urls, err := g.jobs(args)
	if err != nil {
		return usageErr(during("get", err))
	}
	if g.follow {
		g.o.Follow = g.redirects
		if g.redirects == 0 {
			g.o.Follow = -1
		}
	}
	g.o.Include, g.o.RemoteTime = g.include, g.mtime
	g.o.Out = g.out
	if f, ok := g.in.(*os.File); !ok || piped(f) { // it is typed to telnet:
		g.o.In = g.in
	}
	c, err := g.client(urls)
	if err != nil {
		return during("get", err)
	}
	defer c.Close()
	if g.tree {
		return g.mirrorTree(ctx, c, urls[0])
	}
	toStdout := false
	for _, j := range jobs {
		toStdout = toStdout || !j.Named && (j.File == "" || j.File == "-")
	}
	return g.finish(ctx, "get", toStdout, func(report func(i int, r transfer.Result)) {
		c.Get(ctx, jobs, report)
	})
}

// jobs makes one of each URL.
func (g *getCommand) jobs(args []string) ([]transfer.Job, []*url.URL, error) {
	more, err := g.fromFile()
	if err != nil {
		return nil, nil, err
	}
	if len(g.files) == 1 {
		name := g.files[0]
		g.oneForAll = strings.HasSuffix(name, "/") || strings.Contains(name, "#") || isDir(name)
	}
	model := transfer.Job{Range: g.span, Named: g.named, File: g.dir, As: g.as}
	if g.resume != "" {
		model.Resume, model.ResumeAt = true, -1
		if n, err := strconv.ParseInt(g.resume, 10, 64); err == nil && n >= 0 {
			model.ResumeAt = n
		} else if g.resume != "-" {
			return nil, nil, fmt.Errorf("-C %s: want a number of bytes, or -", g.resume)
		}
	}
	var jobs []transfer.Job
	var urls []*url.URL
	for i, pattern := range append(args, more...) {
		globbed := []transfer.Globbed{{URL: pattern}}
		if !g.globOff {
			if globbed, err = transfer.Glob(pattern); err != nil {
				return nil, nil, err
			}
		}
		jobs, urls = slices.Grow(jobs, len(globbed)), slices.Grow(urls, len(globbed))
		for _, one := range globbed {
			u, err := transfer.ParseURL(one.URL)
			if err != nil {
				return nil, nil, during(transfer.Unread(one.URL), err)
			}
			j := model
			j.URL = u
			if !g.named {
				j.File = g.output(i, one)
			}
			jobs, urls = append(jobs, j), append(urls, u)
		}
	}
	return jobs, urls, nil
}

// piped tells whether somebody has put text there: no terminal, and not
// /dev/null.
func piped(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// output is the file for the i-th URL: -o stands for one URL each, as in curl;
// a single one that is a directory, or has #1 in it, for all.
func (g *getCommand) output(i int, one transfer.Globbed) string {
	if g.oneForAll {
		i = 0
	}
	if i >= len(g.files) {
		return ""
	}
	name := one.Fill(g.files[i])
	if g.dir != "" && name != "-" {
		name = g.dir + "/" + name
	}
	return name
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// fromFile reads --urls-from: a URL a line, # begins a comment.
func (g *getCommand) fromFile() ([]string, error) {
	if g.urlsFrom == "" {
		return nil, nil
	}
	in := g.in
	if g.urlsFrom != "-" {
		f, err := os.Open(g.urlsFrom)
		if err != nil {
			return nil, fmt.Errorf("--urls-from: %w", err)
		}
		defer f.Close()
		in = f
	}
	var urls []string
	lines := bufio.NewScanner(io.LimitReader(in, 1<<28))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			urls = append(urls, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--urls-from: %w", err)
	}
	return urls, nil
}
