package maildir

// sync does nothing: a directory cannot be synced here, NTFS journals its names.
func (d *Dir) sync(string) error { return nil }
