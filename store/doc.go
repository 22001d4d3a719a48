// Package store is the narrow waist below everything that is kept: ordered
// keys, changed in transactions, and large bodies beside them. It is the heir
// of Python's dbm and shelve, with the transactions, the durability and the
// wake-ups that mailboxes and newsgroups need.
//
// An [Engine] has five methods. Mailboxes and newsgroups are written once
// above them; a map in memory (memstore), a directory (diskstore) or a cluster
// can be below, and every engine passes the same tests (storetest).
//
// # Keys and values
//
// Keys are byte strings in the order of [bytes.Compare], up to [MaxKey] bytes
// and never empty; values are up to [MaxValue] bytes. Larger things are blobs.
//
// # Transactions
//
// View sees one moment, Update changes all or nothing. Updates happen one
// after the other: each sees what all before it did, and its [Rev] is greater
// than theirs. The function given to either must be short, must not wait for
// the network or for another transaction, and may be called again, so that it
// has no effect but on the transaction and on variables that it sets anew each
// time. Nothing that a Reader hands out may be used after the function
// returns.
//
// # Blobs
//
// A body is written through [Blobs] outside any transaction and becomes
// visible when an Update keeps its [Ref]. Blobs are counted: Keep adds one
// holder and Drop takes one away; a blob that nobody holds any more goes when
// its last reader closes. What was written and never kept goes too.
package store
