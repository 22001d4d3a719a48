// Package newsgroup keeps Netnews: groups, and articles under numbers that only
// ascend. It is the heir of the spool, the active file, the overview and the
// history of the servers that Python's nntplib talked to, as one value.
//
// A Store stands on any store.Engine and holds nothing itself, so that several
// can stand on one engine, and mailboxes beside them: all its keys begin with
// the letter n.
//
// # Articles
//
// An article is a [Draft], which is written first, outside any transaction, and
// then added: in one Update it gets a number in each of its groups that is
// there, its overview, and its place in the history. Its text is kept once,
// however many groups it is in. Numbers of a group are given in the order in
// which articles become visible, so whoever has read up to the high water mark
// has missed nothing, and a number is never given twice, not even when the group
// is removed and made again (RFC 3977 section 6.1.1.2).
//
// A message identifier is taken once, as long as the history remembers it: also
// when the article has been cancelled or has expired.
//
// # The text
//
// Articles are kept as they came, without an Xref field; [Article.Open] puts one
// in that names the groups and numbers here.
package newsgroup
