// Package diskstore is a store in a directory, the heir of Python's shelve and
// dbm, which a crash does not damage.
//
// Keys and values are in a B+ tree (go.etcd.io/bbolt) in the file index. Blobs
// are in segments, files that only grow: small ones one after the other in
// *.seg, a large one in a *.blob of its own. The file FORMAT says by which
// program's rules the directory is written.
//
// # Durability
//
// Updates run one after the other, each over what those before it have written,
// and one that fails takes back its own changes alone. Those that have run while
// the disk was busy are a group: their small blobs go into a segment in one
// write, the segment is synced, then the index commits, and then all of them
// return. So they share the syncs, of which there are three, or two where there
// was no small blob; and the next group gathers meanwhile. An Update whose
// function fails returns when what it has seen of others is durable. Where a
// group fails because there is no room, the Updates of the next one, which have
// seen what has not happened, run again.
//
// After a sync that failed nothing can be trusted: the kernel may have thrown
// away what could not be written, and say of the next sync that it went well.
// The engine then only reads, and every Update fails with the sync's error.
// Whether the Updates that were in flight have happened is known when the
// directory is opened again.
//
// # Space
//
// A segment whose blobs have all been dropped is removed. One that is mostly
// dropped has the rest moved to a new one, in the background. Blobs that
// nobody kept (because the process was killed) go when the directory is opened
// again, or with their segment.
//
// # Reading
//
// The index is mapped into memory, 64 GiB of address space for a start. On
// Windows and on 32 bits, where that is not to be had, an Update that lets it
// grow waits for the Views that run.
//
// Each stretch of 32 KiB of a blob has a check sum (CRC-32C), which is
// verified when it is read.
package diskstore
