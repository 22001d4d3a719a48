package transfer

import (
	"context"
	"net/http"
)

var _ target = (*webTreeOf)(nil)

// mkdir does nothing: PUT makes the directories above a file, where the server
// lets it.
func (*webTreeOf) mkdir(context.Context, entry) error { return nil }

func (t *webTreeOf) store(ctx context.Context, e entry, p *payload, r *Result) error {
	return webPutter{t.c}.put(ctx, t.url(e), p, false, r)
}

func (t *webTreeOf) remove(ctx context.Context, e entry) error {
	resp, err := t.c.ask(ctx, http.MethodDelete, t.url(e), nil)
	if err != nil {
		return err
	}
	drain(resp)
	if resp.StatusCode >= 300 {
		return failure(CodeUpload, &StatusError{resp.StatusCode, resp.Status})
	}
	return nil
}
