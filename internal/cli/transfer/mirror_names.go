package transfer

// names are those of a directory, so that no part takes the place of a file.
type names struct{ taken map[string]bool }

func newNames(entries []entry) *names {
	n := &names{map[string]bool{}}
	for _, e := range entries {
		n.taken[e.path] = true
	}
	return n
}

// temp is what a file is called while it grows: NAME.part, unless that, or its
// note, is a file of the tree itself.
func (n *names) temp(name string) string {
	t := name + ".part"
	for n.taken[t] || n.taken[t+".json"] {
		t += ".part"
	}
	n.taken[t], n.taken[t+".json"] = true, true
	return t
}
