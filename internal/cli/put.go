package cli

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// putCommand is what one farend put was told.
type putCommand struct {
	transferCommand

	resume string
	tree   bool
	mirror transfer.Mirror
}

func newPut(e *env) *cobra.Command {
	p := &putCommand{transferCommand: transferCommand{env: e}}
	c := &cobra.Command{
		Use:   "put [flags] FILE... URL",
		Short: "Send files by ftp(s) or http(s), and mail (more: --help-all)",
		Example: `farend put report.pdf ftp://ann:secret@localhost:2121/in/
farend put message.eml smtp://localhost:1025/ --from ann@a.test --to bob@b.test
farend put -r site/ ftp://localhost:2121/www/   # a tree: what is not there yet`,
		Long:        `A URL that ends in a slash is a directory: files go into it by their names.`,
		Annotations: map[string]string{details: putDetails},
		Args:        func(_ *cobra.Command, args []string) error { return p.check(args) },
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if p.helpAll {
			writeHelpAll(e.out, c)
			return nil
		}
		return p.run(c.Context(), args)
	}
	f := c.Flags()
	f.StringVar(&p.o.From, "from", "", "smtp: the sender; else the header's")
	f.StringArrayVar(&p.o.To, "to", nil, "smtp: a recipient; again for more")
	f.StringVarP(&p.resume, "continue-at", "C", "", "ftp: - goes on behind what the server has")
	f.BoolVarP(&p.tree, "recursive", "r", false, "mirror a tree: what is new or other")
	f.BoolVar(&p.mirror.Delete, "delete", false, "-r: remove there what is not here")
	f.BoolVar(&p.mirror.DryRun, "dry-run", false, "-r: only say what would be done")
	p.flags(f)
	return c
}

// putDetails is what farend put --help-all and its man page say more.
const putDetails = `To imap://HOST/BOX go single messages, and what lies in an mbox, a Maildir or a directory of .eml files, with flags and
dates: of such a one all that the mailbox lacks, by Message-ID, so that the same command goes on where one was stopped.
--create-dirs makes the mailbox. put -r MAILDIR imap://HOST/ puts its folders into mailboxes, too.

The exit status is that of the first file that failed, with curl's numbers: 25 upload refused, 26 a file here cannot be
read, 36 cannot resume, 67 login refused, and those of farend get. 2 is usage.`

func (p *putCommand) check(args []string) error {
	switch {
	case p.helpAll:
	case len(args) == 0:
		return errors.New("put: what? (farend put FILE ftp://localhost:2121/)")
	case len(args) == 1:
		return errors.New("put: where to? (farend put " + args[0] + " ftp://localhost:2121/)")
	case p.tree && len(args) != 2:
		return errors.New("put: -r sends one directory at a time")
	case p.resume != "" && p.resume != "-":
		return errors.New("put: -C " + p.resume + ": want -")
	case !p.tree && (p.mirror.Delete || p.mirror.DryRun):
		return errors.New("put: --delete and --dry-run are for -r")
	}
	return nil
}

func (p *putCommand) run(ctx context.Context, args []string) error {
	last := len(args) - 1
	to, err := transfer.ParseURL(args[last])
	if err != nil {
		return usageErr(during("put", during(transfer.Unread(args[last]), err)))
	}
	files := args[:last]
	if len(files) > 1 && !strings.HasSuffix(to.Path, "/") && !transfer.IsMail(to) {
		return usagef("put: %s: several files go to a directory: the URL must end in a slash", to.Redacted())
	}
	p.o.Out, p.o.In = p.out, p.in
	c, err := p.client([]*url.URL{to})
	if err != nil {
		return during("put", err)
	}
	defer c.Close()
	if p.tree {
		return p.mirrorTree(ctx, c, files[0], to)
	}
	var uploads []transfer.Upload
	for _, file := range files {
		u, err := transfer.Target(to, file)
		if err != nil {
			return usageErr(during("put", during(to.Redacted(), err)))
		}
		uploads = append(uploads, transfer.Upload{File: file, URL: u, Resume: p.resume != ""})
	}
	return p.finish(ctx, "put", false, func(report func(i int, r transfer.Result)) {
		c.Put(ctx, uploads, report)
	})
}
