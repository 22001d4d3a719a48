package message

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// describe fills in what the MIME fields of a header say about a part. def is
// what it is when they say nothing.
func (p *parser) describe(m *Part, h Header, def MediaType) {
	m.Type, m.Encoding = def, "7bit"
	const prefix = "content-"
	var seen []string
	for _, f := range h.Fields {
		at := m.Header + int64(f.at)
		m.octetsOf(f, at)
		if len(f.Name) <= len(prefix) || !strings.EqualFold(f.Name[:len(prefix)], prefix) {
			continue
		}
		name := strings.ToLower(f.Name)
		if slices.Contains(seen, name) {
			m.Defects = note(m.Defects, DuplicateField, at)
			continue
		}
		m.describeField(name, f.Value(), at)
		seen = append(seen, name)
	}
	m.checkEncoding()
}

// octetsOf looks for octets above 127 in a field.
func (p *Part) octetsOf(f Field, at int64) {
	if ascii(f.Raw) {
		return
	}
	p.UTF8Header = true
	if !utf8.Valid(f.Raw) {
		p.Defects = note(p.Defects, UndecodableBytes, at)
	}
}

func (p *Part) describeField(name, value string, at int64) {
	switch name {
	case "content-type":
		var defects []DefectKind
		p.Type, defects = ParseMediaType(value)
		p.noteAll(defects, at)
	case "content-transfer-encoding":
		p.Encoding = encodingName(value)
	case "content-disposition":
		var defects []DefectKind
		p.Disposition, defects = ParseDisposition(value)
		p.noteAll(defects, at)
	case "content-id":
		p.ID = value
	case "content-description":
		p.Description = value
	case "content-md5":
		p.MD5 = value
	case "content-location":
		p.Location = strings.Join(strings.Fields(value), "") // RFC 2557 4.4.1: folds inside are no part of it
	case "content-language":
		p.Languages = parseTokens(value)
	}
}

func (p *Part) noteAll(kinds []DefectKind, at int64) {
	for _, k := range kinds {
		p.Defects = note(p.Defects, k, at)
	}
}

func (p *Part) checkEncoding() {
	plain := identity(p.Encoding)
	switch {
	case p.isMultipart() && !plain:
		p.Defects = note(p.Defects, InvalidMultipartContentTransferEncoding, p.Header)
	case p.isMessage() && !plain:
		p.Defects = note(p.Defects, InvalidMessageContentTransferEncoding, p.Header)
	case codingOf(p.Encoding) == codingUnknown:
		p.Defects = note(p.Defects, UnknownContentTransferEncoding, p.Header)
	}
	if p.Type.Type == "text" {
		if _, known := charset(p.Type.Params.Get("charset")); !known {
			p.Defects = note(p.Defects, UnknownCharset, p.Header)
		}
	}
	if p.isMultipart() && p.boundary() == "" {
		p.Defects = note(p.Defects, NoBoundaryInMultipart, p.Header)
	}
}

// boundary is the multipart's boundary, without the white space that it may
// not end with.
func (p *Part) boundary() string {
	return strings.TrimRight(p.Type.Params.Get("boundary"), " \t")
}
