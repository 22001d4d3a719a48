package talk

// For tests from outside.
var (
	Visible    = visible
	VisibleAll = visibleAll
	Complete   = complete
	Cipher     = cipher
	Span       = span
)

// Translate sends all chunks through one translation with CRLF on.
func Translate(chunks ...[]byte) []byte {
	c := crlf{on: true}
	var out []byte
	for _, b := range chunks {
		out = append(out, c.translate(b)...)
	}
	return out
}
