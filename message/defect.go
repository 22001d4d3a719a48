package message

import "fmt"

// Defect is something wrong with a message, which was read all the same.
type Defect struct {
	Kind DefectKind
	// At is the offset in the message (for a [Header] read alone: in it)
	// where the defect was seen.
	At int64
}

// String gives the kind and the offset.
func (d Defect) String() string { return fmt.Sprintf("%s at %d", d.Kind, d.At) }

// DefectKind tells what is wrong. Where Python's email.errors has the same
// defect, the name is Python's without its ending.
type DefectKind uint8

// The kinds. Their numbers are kept in caches; they never change.
const (
	// Of a header.
	FirstHeaderLineIsContinuation DefectKind = iota + 1 // nothing to continue; the line is dropped
	MisplacedEnvelopeHeader                             // an mbox "From " line where a field should be; dropped
	MissingHeaderBodySeparator                          // no empty line: the body begins with the first line that is no field
	InvalidHeader                                       // a line that begins with a colon; dropped
	HeaderTooLarge                                      // more octets than Limits.Header; the rest is dropped
	TooManyFields                                       // more fields than Limits.Fields; the rest is dropped
	ObsoleteHeader                                      // white space between name and colon (RFC 5322 4.5)
	DuplicateField                                      // a field that may stand once stands twice; the first is used
	UndecodableBytes                                    // octets that are no UTF-8 in a header
	InvalidDate                                         // a Date that cannot be understood
	InvalidAddress                                      // addresses with something left over or missing
	InvalidEncodedWord                                  // "=?...?=" that could not be decoded

	// Of MIME structure.
	NoBoundaryInMultipart                   // a multipart without a boundary parameter: one part, unopened
	StartBoundaryNotFound                   // the boundary never comes: one part, unopened
	CloseBoundaryNotFound                   // the last delimiter is missing
	MultipartInvariantViolation             // a multipart that has no part
	InvalidMultipartContentTransferEncoding // a multipart in base64 or the like; taken as if it were not
	InvalidMessageContentTransferEncoding   // a message/rfc822 in base64 or the like: one part, unopened
	InvalidContentType                      // no type/subtype; taken for text/plain (RFC 2045 5.2)
	InvalidParameter                        // a parameter without "=", or a quoted string that does not end
	UnknownContentTransferEncoding          // not one of RFC 2045; the body is given as it is
	UnknownCharset                          // not one that we know; taken for UTF-8, with what is none replaced
	TooManyParts                            // more than Limits.Parts
	TooDeep                                 // more than Limits.Depth

	// Of the octets.
	BareCR   // a CR without LF
	BareLF   // a line that LF alone ended
	NUL      // an octet of zero
	LongLine // a line of more than 998 octets

	// Of an encoded body; these come from a Decoder.
	InvalidBase64Characters // skipped
	InvalidBase64Padding    // missing or too much
	InvalidBase64Length     // one character too many; dropped
	InvalidQuotedPrintable  // "=" without two hexadecimal digits; taken literally
	InvalidUUEncode         // no "begin" or "end", or a line of a wrong length
)

var defectNames = [...]string{
	FirstHeaderLineIsContinuation:           "first header line is continuation",
	MisplacedEnvelopeHeader:                 "misplaced envelope header",
	MissingHeaderBodySeparator:              "missing header body separator",
	InvalidHeader:                           "invalid header",
	HeaderTooLarge:                          "header too large",
	TooManyFields:                           "too many fields",
	ObsoleteHeader:                          "obsolete header",
	DuplicateField:                          "duplicate field",
	UndecodableBytes:                        "undecodable bytes",
	InvalidDate:                             "invalid date",
	InvalidAddress:                          "invalid address",
	InvalidEncodedWord:                      "invalid encoded word",
	NoBoundaryInMultipart:                   "no boundary in multipart",
	StartBoundaryNotFound:                   "start boundary not found",
	CloseBoundaryNotFound:                   "close boundary not found",
	MultipartInvariantViolation:             "multipart invariant violation",
	InvalidMultipartContentTransferEncoding: "invalid multipart content transfer encoding",
	InvalidMessageContentTransferEncoding:   "invalid message content transfer encoding",
	InvalidContentType:                      "invalid content type",
	InvalidParameter:                        "invalid parameter",
	UnknownContentTransferEncoding:          "unknown content transfer encoding",
	TooManyParts:                            "too many parts",
	TooDeep:                                 "too deep",
	BareCR:                                  "bare CR",
	BareLF:                                  "bare LF",
	NUL:                                     "NUL",
	LongLine:                                "long line",
	InvalidBase64Characters:                 "invalid base64 characters",
	InvalidBase64Padding:                    "invalid base64 padding",
	InvalidBase64Length:                     "invalid base64 length",
	InvalidQuotedPrintable:                  "invalid quoted-printable",
	InvalidUUEncode:                         "invalid uuencode",
	UnknownCharset:                          "unknown charset",
}

// String gives the kind in words.
func (k DefectKind) String() string {
	if int(k) < len(defectNames) && defectNames[k] != "" {
		return defectNames[k]
	}
	return fmt.Sprintf("defect %d", uint8(k))
}

// note adds a defect unless one of its kind is there: a message made of
// nothing but faults must not make a list that is longer than itself.
func note(list []Defect, kind DefectKind, at int64) []Defect {
	for _, d := range list {
		if d.Kind == kind {
			return list
		}
	}
	return append(list, Defect{kind, at})
}
