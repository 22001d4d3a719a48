// Package filetree is a tree of files that may be written to: io/fs with the
// other half of POSIX, the heir of Twisted's FilePath and of pyftpdlib's
// AbstractedFS.
//
// [Dir] is a directory on disk, [Memory] a tree in memory and [FS] any fs.FS,
// read-only. Servers stand on the one interface [Tree] and do not know which:
//
//	root, err := os.OpenRoot("/srv/pub")
//	tree, err := filetree.Dir(root, filetree.Options{Quota: 10 << 30})
//	f, err := tree.Open("docs/README.txt")
//
// Names are those of io/fs (fs.ValidPath): slash-separated, unrooted, UTF-8,
// "." for the top. No name, however spelled, and no symbolic link leaves the
// tree. Only directories and regular files are in it: what else lies on the
// disk (devices, pipes, links that lead out or nowhere, names that are no
// UTF-8) is neither listed nor opened.
//
// A file appears whole, or not at all:
//
//	u, err := tree.Create(ctx, "docs/new.txt", filetree.CreateOptions{})
//	defer u.Abort() // does nothing after Commit
//	_, err = io.Copy(u, body)
//	err = u.Commit()
package filetree
