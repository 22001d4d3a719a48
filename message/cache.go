package message

import (
	"encoding/binary"
	"math"
)

// cacheVersion is the first octet of a cached structure. It changes with the
// form, and a structure of another version is parsed from the message again.
const cacheVersion = 1

// Append writes the part and all below it in a compact form that [ParsePart]
// reads: some dozen octets for a plain part, and the text of its fields.
func (p *Part) Append(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, 256)
	}
	return p.appendPart(append(b, cacheVersion), 0)
}

// ParsePart reads what [Part.Append] wrote. The error is [ErrCached]; then the
// message has to be parsed anew.
func ParsePart(b []byte) (*Part, error) {
	if len(b) == 0 || b[0] != cacheVersion {
		return nil, ErrCached
	}
	r := cacheReader{b: b[1:], s: string(b[1:])}
	p := new(Part)
	r.part(p, 0, 0)
	if r.bad || len(r.b) > 0 {
		return nil, ErrCached
	}
	return p, nil
}

// Bits of a cached part's first number.
const (
	hasEnvelope = 1 << iota
	hasEightBit
	hasUTF8Header
	hasDisposition
	hasOther // ID, description, MD5, location, languages
	hasParts
	hasDefects
)

func (p *Part) appendPart(b []byte, base int64) []byte {
	bits := uint64(0)
	set := func(on bool, bit uint64) {
		if on {
			bits |= bit
		}
	}
	set(p.Envelope != nil, hasEnvelope)
	set(p.EightBit, hasEightBit)
	set(p.UTF8Header, hasUTF8Header)
	set(p.Disposition.Value != "" || len(p.Disposition.Params) > 0, hasDisposition)
	set(p.ID+p.Description+p.MD5+p.Location != "" || len(p.Languages) > 0, hasOther)
	set(len(p.Parts) > 0, hasParts)
	set(len(p.Defects) > 0, hasDefects)
	b = binary.AppendUvarint(b, bits)
	for _, n := range [...]int64{p.Header - base, p.Body - p.Header, p.End - p.Body, p.Lines} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = appendString(appendString(b, p.Type.Type), p.Type.Subtype)
	b = appendString(appendParams(b, p.Type.Params), p.Encoding)
	if bits&hasDisposition != 0 {
		b = appendParams(appendString(b, p.Disposition.Value), p.Disposition.Params)
	}
	if bits&hasOther != 0 {
		b = appendStrings(b, p.ID, p.Description, p.MD5, p.Location)
		b = appendList(b, p.Languages)
	}
	if bits&hasEnvelope != 0 {
		b = p.Envelope.append(b)
	}
	if bits&hasDefects != 0 {
		b = binary.AppendUvarint(b, uint64(len(p.Defects)))
		for _, d := range p.Defects {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(d.Kind)), uint64(d.At))
		}
	}
	if bits&hasParts != 0 {
		b = binary.AppendUvarint(b, uint64(len(p.Parts)))
		for i := range p.Parts {
			b = p.Parts[i].appendPart(b, p.Header)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, list ...string) []byte {
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

func appendList(b []byte, list []string) []byte {
	return appendStrings(binary.AppendUvarint(b, uint64(len(list))), list...)
}

func appendParams(b []byte, list Params) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, p := range list {
		b = appendStrings(b, p.Name, p.Value)
	}
	return b
}

func (e *Envelope) append(b []byte) []byte {
	b = appendStrings(b, e.Date, e.Subject, e.InReplyTo, e.MessageID)
	b = appendList(b, e.References)
	for _, list := range [...][]Address{e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc} {
		b = appendAddresses(b, list)
	}
	return b
}

func appendAddresses(b []byte, list []Address) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, a := range list {
		b = appendStrings(b, a.RawName, a.Route, a.Local, a.Domain)
		if !a.Group {
			b = append(b, 0)
			continue
		}
		b = appendAddresses(append(b, 1), a.Members)
	}
	return b
}

// cacheReader reads a cached structure; bad once something was wrong.
type cacheReader struct {
	b   []byte
	s   string // all of it: the texts share it
	bad bool
}

func (r *cacheReader) fail() { r.bad, r.b = true, nil }

func (r *cacheReader) number() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt64/4 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

// count reads how many things follow, each of at least size octets.
func (r *cacheReader) count(size int) int {
	n := r.number()
	if n > int64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *cacheReader) string() string {
	n := r.count(1)
	r.b = r.b[n:]
	end := len(r.s) - len(r.b)
	return r.s[end-n : end]
}

func (r *cacheReader) list() []string {
	n := r.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}

func (r *cacheReader) params() Params {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	list := make(Params, n)
	for i := range list {
		list[i] = Param{r.string(), r.string()}
	}
	return list
}

func (r *cacheReader) part(p *Part, base int64, depth int) {
	if depth > maxDepth {
		r.fail()
		return
	}
	bits := r.number()
	p.Header = base + r.number()
	p.Body = p.Header + r.number()
	p.End = p.Body + r.number()
	p.Lines = r.number()
	if p.End < 0 || p.End > math.MaxInt64/2 {
		r.fail()
		return
	}
	p.EightBit = bits&hasEightBit != 0
	p.UTF8Header = bits&hasUTF8Header != 0
	p.Type = MediaType{r.string(), r.string(), r.params()}
	p.Encoding = r.string()
	if bits&hasDisposition != 0 {
		p.Disposition = Disposition{r.string(), r.params()}
	}
	if bits&hasOther != 0 {
		p.ID, p.Description, p.MD5, p.Location = r.string(), r.string(), r.string(), r.string()
		p.Languages = r.list()
	}
	if bits&hasEnvelope != 0 {
		p.Envelope = r.envelope()
	}
	if bits&hasDefects != 0 {
		p.Defects = make([]Defect, r.count(2))
		for i := range p.Defects {
			p.Defects[i] = Defect{DefectKind(r.number()), r.number()}
		}
	}
	if bits&hasParts != 0 {
		p.Parts = make([]Part, r.count(9))
		for i := range p.Parts {
			r.part(&p.Parts[i], p.Header, depth+1)
		}
	}
}

func (r *cacheReader) envelope() *Envelope {
	e := &Envelope{Date: r.string(), Subject: r.string(), InReplyTo: r.string(), MessageID: r.string()}
	e.References = r.list()
	for _, list := range [...]*[]Address{&e.From, &e.Sender, &e.ReplyTo, &e.To, &e.Cc, &e.Bcc} {
		*list = r.addresses(false)
	}
	return e
}

func (r *cacheReader) addresses(inGroup bool) []Address {
	n := r.count(5)
	if n == 0 {
		return nil
	}
	list := make([]Address, n)
	for i := range list {
		a := Address{RawName: r.string(), Route: r.string(), Local: r.string(), Domain: r.string()}
		a.Name = DecodeText(a.RawName)
		if kind := r.number(); kind == 1 && !inGroup {
			a.Group = true
			a.Members = r.addresses(true)
		} else if kind != 0 {
			r.fail()
		}
		list[i] = a
	}
	return list
}
