package diskstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/farend-go/farend/store"
)

// Names of files in the directory.
const (
	indexName  = "index"
	formatName = "FORMAT"
	formatTemp = "FORMAT.new"
)

const formatMark = "farend store, format "

// An upgrade turns a directory of one format into one of the next. It runs
// with the index open and before anything else is; it may run again after a
// crash.
type upgrade func(e *Engine) error

// upgrades are the steps, the first of them from format 1. This program writes
// the format that the last one leads to.
func upgrades() []upgrade { return nil }

// prepare makes the directory, or makes sure that it is a store of a format
// that we know.
func (e *Engine) prepare(newest int) error {
	version, err := e.format()
	if !errors.Is(err, fs.ErrNotExist) {
		if err == nil && version > newest {
			err = fmt.Errorf("%w: it has format %d, and %d is the newest that this one knows", store.ErrFormat, version, newest)
		}
		return err
	}
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	if err := e.syncDir(filepath.Dir(filepath.Clean(e.dir))); err != nil {
		return err
	}
	entries, err := os.ReadDir(e.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != formatTemp {
			return fmt.Errorf("it holds %s and no %s: this is no store", entry.Name(), formatName)
		}
	}
	return e.writeFormat(newest)
}

func (e *Engine) format() (int, error) {
	text, err := os.ReadFile(filepath.Join(e.dir, formatName))
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(string(text)), formatMark)
	version, err := strconv.Atoi(number)
	if !ok || err != nil || version < 1 {
		return 0, fmt.Errorf("%w: %s does not say which format", store.ErrCorrupt, formatName)
	}
	return version, nil
}

// writeFormat replaces the file whole or not at all.
func (e *Engine) writeFormat(version int) error {
	if err := e.fault(opCreate, filepath.Join(e.dir, formatTemp)); err != nil {
		return err
	}
	temp := filepath.Join(e.dir, formatTemp)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s%d\n", formatMark, version)
	if err == nil {
		err = e.sync(f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(e.dir, formatName)); err != nil {
		return err
	}
	return e.syncDir(e.dir)
}

// upgrade brings the directory to this program's format. The index is open
// and locked, so that nobody else does it.
func (e *Engine) upgrade(steps []upgrade) error {
	version, err := e.format()
	if err != nil {
		return err
	}
	for ; version <= len(steps); version++ {
		if err := steps[version-1](e); err != nil {
			return fmt.Errorf("upgrade from format %d: %w", version, err)
		}
		if err := e.writeFormat(version + 1); err != nil {
			return err
		}
	}
	return nil
}
