package server

import "context"

// A Prompter is a Session in mode Blocks that can answer some requests at once:
// without waiting for a disk, another goroutine or its peer. The events engine
// asks it before it gives the Turn to a goroutine, which costs more than a short
// answer does.
//
// A Prompt starts no goroutine and lets none go on that waits: it might wait
// for the loop's core. Talk.Wake, whose Push may, is allowed.
type Prompter interface {
	// Prompt is a Turn that never waits. wire.ErrWait: it would have to; it has
	// changed nothing, what it has read is unread again, and Turn answers.
	Prompt(ctx context.Context) error
}
