package auth

import "encoding/base64"

// MaxResponse is how long a line with a base64 string may be that a server
// must take (RFC 4954 section 4), its line end included.
const MaxResponse = 12288

// AppendInitial writes an initial response as it stands behind the mechanism's
// name: base64, and "=" for an empty one (RFC 5034 section 4, 4954 section 4,
// 4959 section 3). It is not for nil, which is no initial response.
func AppendInitial(b, initial []byte) []byte {
	if len(initial) == 0 {
		return append(b, '=')
	}
	return base64.StdEncoding.AppendEncode(b, initial)
}

// ParseInitial is the other way. ErrMalformed: it is not base64.
func ParseInitial(s []byte) ([]byte, error) {
	if string(s) == "=" {
		return []byte{}, nil
	}
	b, err := Parse(s)
	if err == nil && len(b) == 0 {
		return nil, ErrMalformed
	}
	return b, err
}

// Append writes a challenge or a response in base64.
func Append(b, message []byte) []byte { return base64.StdEncoding.AppendEncode(b, message) }

// Parse is the other way; the result is never nil without an error. "*" is
// ErrCancelled, by which a client gives up (RFC 4954 section 4), and what is
// not base64 ErrMalformed.
func Parse(s []byte) ([]byte, error) {
	if string(s) == "*" {
		return nil, ErrCancelled
	}
	b, err := base64.StdEncoding.AppendDecode([]byte{}, s)
	if err != nil {
		return nil, ErrMalformed
	}
	return b, nil
}
