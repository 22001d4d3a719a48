package message

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// MediaType is a Content-Type (RFC 2045 5.1).
type MediaType struct {
	Type, Subtype string // in lower case
	Params        Params
}

// Is tells whether it is of that type; a subtype of "*" stands for all.
func (t MediaType) Is(typ, subtype string) bool {
	return t.Type == typ && (subtype == "*" || t.Subtype == subtype)
}

// String is the type as it is written into a Content-Type field.
func (t MediaType) String() string { return string(t.Params.Append([]byte(t.Type + "/" + t.Subtype))) }

// Disposition is a Content-Disposition (RFC 2183); its zero value says that
// there is none.
type Disposition struct {
	Value  string // in lower case: inline, attachment
	Params Params
}

// String is the disposition as it is written into its field.
func (d Disposition) String() string { return string(d.Params.Append([]byte(d.Value))) }

// Param is one parameter, as it stood: RFC 2231 may have cut and encoded it.
type Param struct {
	Name  string // in lower case, with the stars of RFC 2231
	Value string // without quotes, not decoded
}

// Params are the parameters of a field, in their order.
type Params []Param

// ParseMediaType reads a Content-Type. What has no type and subtype is
// text/plain, with its parameters (RFC 2045 5.2).
func ParseMediaType(value string) (MediaType, []DefectKind) {
	l := scanText(value)
	l.skipCFWS()
	t := MediaType{Type: strings.ToLower(l.token())}
	l.skipCFWS()
	if l.take('/') {
		l.skipCFWS()
		t.Subtype = strings.ToLower(l.token())
	}
	var defects []DefectKind
	if t.Type == "" || t.Subtype == "" {
		t.Type, t.Subtype = "text", "plain"
		defects = append(defects, InvalidContentType)
		l.toSemicolon()
	}
	var bad bool
	if t.Params, bad = parseParams(l); bad {
		defects = append(defects, InvalidParameter)
	}
	return t, defects
}

// ParseDisposition reads a Content-Disposition.
func ParseDisposition(value string) (Disposition, []DefectKind) {
	l := scanText(value)
	l.skipCFWS()
	d := Disposition{Value: strings.ToLower(l.token())}
	l.skipCFWS()
	if l.peek() == '=' { // "filename=x" with nothing before it
		l.i, d.Value = 0, "attachment" // RFC 2183 2.8: what is not known is an attachment
	}
	params, bad := parseParams(l)
	d.Params = params
	if bad {
		return d, []DefectKind{InvalidParameter}
	}
	return d, nil
}

func (l *lexer) toSemicolon() {
	for !l.done() && l.s[l.i] != ';' {
		l.i++
	}
}

// parseParams reads parameters to the end, and tells whether something was wrong.
func parseParams(l *lexer) (params Params, bad bool) {
	for {
		l.skipCFWS()
		for l.take(';') {
			l.skipCFWS()
		}
		if l.done() {
			return params, bad || l.open
		}
		name := strings.ToLower(l.token())
		l.skipCFWS()
		if name == "" || !l.take('=') {
			bad = true
			l.toSemicolon()
			continue
		}
		l.skipCFWS()
		var value string
		if l.peek() == '"' {
			value = l.quoted(`\"`)
			l.skipCFWS()
			if !l.done() && l.peek() != ';' {
				bad = true
				if !l.atParam() {
					l.toSemicolon()
				}
			}
		} else {
			value = l.bareValue()
		}
		params = append(params, Param{name, value})
	}
}

// bareValue passes a value without quotes. It may be no token: there are names
// of files with blanks in them. It ends at a semicolon or where another
// parameter seems to begin; a comment at its end is not part of it.
func (l *lexer) bareValue() string {
	from, end := l.i, l.i
	looked := 0 // up to here, comments are known to be part of the value
	for !l.done() && l.s[l.i] != ';' {
		if !isSpace(l.s[l.i]) {
			l.i++
			end = l.i
			continue
		}
		l.skipSpace()
		if l.atParam() {
			break
		}
		if here := l.i; l.peek() == '(' && here >= looked {
			l.skipCFWS()
			if l.done() || l.peek() == ';' {
				break
			}
			looked = l.i
			l.i = here
		}
	}
	return l.s[from:end]
}

// atParam tells whether a name and "=" stand here.
func (l *lexer) atParam() bool {
	ahead := lexer{s: l.s, i: l.i}
	return ahead.token() != "" && ahead.peek() == '='
}

// Get gives the parameter of that name, decoded: its pieces joined and its
// charset and language taken off (RFC 2231), or encoded words decoded, which
// should not be there but are (RFC 2047 5). It gives nothing if there is none.
func (p Params) Get(name string) string {
	plain, found := "", false
	var pieces []piece
	for _, q := range p {
		base, suffix, starred := strings.Cut(q.Name, "*")
		if !strings.EqualFold(base, name) {
			continue
		}
		if !starred {
			if !found {
				plain, found = q.Value, true
			}
			continue
		}
		if s, ok := newPiece(suffix, q.Value); ok {
			pieces = append(pieces, s)
		}
	}
	if len(pieces) > 0 {
		return joinPieces(pieces)
	}
	if strings.Contains(plain, "=?") {
		return DecodeText(plain)
	}
	return validText(plain)
}

// piece is one of the parameters that RFC 2231 3 cuts a value into.
type piece struct {
	number  int
	encoded bool
	value   string
}

// newPiece reads what stands after the first star of a name: "", "0", "0*".
func newPiece(suffix, value string) (piece, bool) {
	digits, encoded := strings.CutSuffix(suffix, "*")
	if digits == "" {
		return piece{0, true, value}, true
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return piece{int(n), encoded, value}, err == nil
}

func joinPieces(pieces []piece) string {
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(a.number, b.number) })
	charset := ""
	var raw []byte
	for i, s := range pieces {
		if i > 0 && s.number == pieces[i-1].number {
			continue
		}
		if i == 0 && s.encoded {
			if cs, after, ok := strings.Cut(s.value, "'"); ok {
				if _, text, ok := strings.Cut(after, "'"); ok {
					charset, s.value = cs, text
				}
			}
		}
		if s.encoded {
			raw = appendUnescaped(raw, s.value)
		} else {
			raw = append(raw, s.value...)
		}
	}
	text, _ := decodeCharset(charset, raw)
	return text
}

// appendUnescaped undoes %XX; a percent sign without two digits is itself.
func appendUnescaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if coded, ok := hexByte(s[i+1:]); ok {
				c = coded
				i += 2
			}
		}
		b = append(b, c)
	}
	return b
}

// hexByte is the byte that two digits stand for.
func hexByte(s string) (c byte, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, lo := unhex(s[0]), unhex(s[1])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Set replaces the parameter of that name. [Params.Append] will cut and encode
// the value as it needs.
func (p *Params) Set(name, value string) {
	name = strings.ToLower(name)
	*p = slices.DeleteFunc(slices.Clone(*p), func(q Param) bool {
		base, _, _ := strings.Cut(q.Name, "*")
		return base == name
	})
	*p = append(*p, Param{name, value})
}

// pieceLength is how long a piece of a value is made, so that its line stays
// within 78 octets.
const pieceLength = 50

// Append writes the parameters, each with "; " before it. A value that is
// neither a token nor printable ASCII of at most a line is written by RFC
// 2231: in UTF-8, percent-encoded, in pieces.
func (p Params) Append(b []byte) []byte {
	for _, q := range p {
		b = q.append(b)
	}
	return b
}

func (q Param) append(b []byte) []byte {
	extended := strings.HasSuffix(q.Name, "*")
	switch {
	case q.Value != "" && strings.IndexFunc(q.Value, func(r rune) bool { return r >= 0x80 || !isToken(byte(r)) }) < 0 && (extended || len(q.Value) <= pieceLength):
		return append(append(append(append(b, "; "...), q.Name...), '='), q.Value...)
	case extended || strings.Contains(q.Name, "*") || printable(q.Value) && len(q.Value) <= pieceLength && !strings.Contains(q.Value, "=?"):
		return appendQuoted(append(append(append(b, "; "...), q.Name...), '='), q.Value)
	}
	return q.appendPieces(b)
}

// appendPieces writes a value by RFC 2231 3 and 4.
func (q Param) appendPieces(b []byte) []byte {
	text := "utf-8''"
	var pieces []string
	for i := range len(q.Value) {
		c := q.Value[i]
		enc := string(c)
		if c >= 0x80 || !isToken(c) || strings.IndexByte("*'%", c) >= 0 {
			enc = "%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15])
		}
		if len(text)+len(enc) > pieceLength {
			pieces = append(pieces, text)
			text = ""
		}
		text += enc
	}
	pieces = append(pieces, text)
	if len(pieces) == 1 {
		return append(append(append(append(b, "; "...), q.Name...), "*="...), text...)
	}
	for i, s := range pieces {
		b = append(append(b, "; "...), q.Name...)
		b = append(strconv.AppendInt(append(b, '*'), int64(i), 10), "*="...)
		b = append(b, s...)
	}
	return b
}

// printable tells whether s is ASCII without control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
