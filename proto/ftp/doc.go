// Package ftp is the File Transfer Protocol, both ends, in clear and over TLS:
// the heir of Python's ftplib.
//
// It speaks RFC 959 in stream mode, with RFC 1123 section 4.1, 2228 and 4217
// (TLS), 2389 (FEAT), 2428 (EPRT, EPSV), 2640 (UTF-8, LANG), 3659 (SIZE, MDTM,
// MLST, MLSD, REST), 7151 (HOST), and the drafts for HASH and MFMT.
package ftp
