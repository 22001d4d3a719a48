package app

import (
	"errors"
	"fmt"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
	"github.com/farend-go/farend/store/memstore"
)

// kept is the engine in which mail and news are kept: one, of the directory
// Config.Data or of memory, closed when everything has ended.
func (a *App) kept() (store.Engine, error) {
	if a.store != nil {
		return a.store, nil
	}
	if a.cfg.Data == "" {
		a.store = memstore.New(memstore.Options{})
	} else {
		opened, err := diskstore.Open(a.cfg.Data, diskstore.Options{})
		if errors.Is(err, store.ErrInUse) {
			return nil, fmt.Errorf("data %s: another farend is using it", a.cfg.Data) // as a port may be
		}
		if err != nil {
			return nil, badConfig("data %s: %w", a.cfg.Data, withoutPath(err))
		}
		a.store = opened
	}
	a.cleanups = append(a.cleanups, func() {
		if err := a.store.Close(); err != nil {
			a.notice(fmt.Sprintf("closing what is kept: %v", err))
		}
	})
	return a.store, nil
}
