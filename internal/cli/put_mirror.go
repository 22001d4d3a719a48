package cli

import (
	"context"
	"net/url"

	"github.com/farend-go/farend/internal/cli/transfer"
)

// mirrorTree is farend put -r.
func (p *putCommand) mirrorTree(ctx context.Context, c *transfer.Client, dir string, u *url.URL) error {
	return p.mirrored(ctx, "put", u, p.mirror, func(report func(r transfer.Result)) error {
		return c.MirrorUp(ctx, dir, u, p.mirror, report)
	})
}
