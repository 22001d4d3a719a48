package transfer

// Mirror says how a tree is mirrored. The zero value brings what is missing or
// other.
type Mirror struct {
	Delete bool // what is only at the target goes
	DryRun bool // nothing is changed
	Verify bool // contents are compared, not only size and time
}
