package transfer

import (
	"context"
	"errors"

	"github.com/farend-go/farend/proto/ftp"
)

var _ target = (*ftpTreeOf)(nil)

// mkdir makes a directory; for the first one also those above it.
func (t *ftpTreeOf) mkdir(ctx context.Context, e entry) error {
	return t.do(ctx, e, func(fc *ftp.Client, name string) error {
		err := fc.Cwd(ctx, name)
		if _, refused := errors.AsType[ftp.Reply](err); err == nil || !refused {
			return err
		}
		if e.path == "." {
			return t.site.mkdirs(ctx, fc, name)
		}
		if err := fc.Mkdir(ctx, name); err != nil {
			return refusedUpload(err, &outgoing{})
		}
		return nil
	})
}

func (t *ftpTreeOf) store(ctx context.Context, e entry, p *payload, r *Result) error {
	return t.do(ctx, e, func(fc *ftp.Client, name string) error {
		if err := t.site.store(ctx, fc, name, p, false, r); err != nil {
			return err
		}
		features, err := fc.Features(ctx)
		if _, ok := features["MFMT"]; err != nil || !ok {
			return err
		}
		err = fc.SetModTime(ctx, name, p.modified)
		if _, refused := errors.AsType[ftp.Reply](err); refused {
			return nil // then it has the time of its arrival, which is later
		}
		return err
	})
}

func (t *ftpTreeOf) remove(ctx context.Context, e entry) error {
	return t.do(ctx, e, func(fc *ftp.Client, name string) error {
		remove := fc.Delete
		if e.dir {
			remove = fc.Rmdir
		}
		if err := remove(ctx, name); err != nil {
			return refusedUpload(err, &outgoing{})
		}
		return nil
	})
}
