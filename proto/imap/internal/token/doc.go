// Package token is the lexical level of IMAP (RFC 9051 section 9): atoms,
// strings, literals, numbers and lists, read by a [Lexer] and written in a
// [Style]. Its ancestor is the tokenizer inside Python's imaplib, which was a
// handful of regular expressions.
//
// A Lexer works on bytes that lie in memory, with the bytes of each literal
// behind its head as they came: "{3}\r\nabc". What is too large for memory is
// left out by whoever reads it, and the head is the last that the Lexer sees
// ([Lexer.Head]).
package token
