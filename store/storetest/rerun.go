package storetest

import (
	"context"
	"errors"

	"github.com/farend-go/farend/store"
)

// Rerun gives an engine on e that runs each function twice, the first time for
// nothing, as an engine may: a test of what stands above it passes over both.
func Rerun(e store.Engine) store.Engine { return rerun{e} }

type rerun struct{ store.Engine }

var errAgain = errors.New("storetest: again")

func (e rerun) Update(ctx context.Context, f func(store.Writer) error) error {
	err := e.Engine.Update(ctx, func(w store.Writer) error {
		if err := f(w); err != nil {
			return err
		}
		return errAgain
	})
	if !errors.Is(err, errAgain) {
		return err
	}
	return e.Engine.Update(ctx, f)
}

func (e rerun) View(ctx context.Context, f func(store.Reader) error) error {
	if err := e.Engine.View(ctx, f); err != nil {
		return err
	}
	return e.Engine.View(ctx, f)
}
