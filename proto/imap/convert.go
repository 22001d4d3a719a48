package imap

import "github.com/farend-go/farend/message"

// This file makes of package message's structure what stands on the wire.

func envelopeOf(e *message.Envelope) *Envelope {
	if e == nil {
		return &Envelope{}
	}
	return &Envelope{
		Date: e.Date, Subject: e.Subject, InReplyTo: e.InReplyTo, MessageID: e.MessageID,
		From: addressesOf(e.From), Sender: addressesOf(e.Sender), ReplyTo: addressesOf(e.ReplyTo),
		To: addressesOf(e.To), Cc: addressesOf(e.Cc), Bcc: addressesOf(e.Bcc),
	}
}

func addressesOf(list []message.Address) []Address {
	var out []Address
	for _, a := range list {
		if a.Group {
			name := a.RawName
			if name == "" {
				name = a.Name
			}
			out = append(append(append(out, Address{Mailbox: name}), addressesOf(a.Members)...), Address{})
			continue
		}
		host := a.Domain
		if host == "" {
			host = ".MISSING-HOST-NAME." // without a host it would be a group; what UW's imapd wrote
		}
		out = append(out, Address{Name: a.RawName, Route: a.Route, Mailbox: a.Local, Host: host})
	}
	return out
}

func structureOf(p *message.Part) *BodyStructure {
	s := &BodyStructure{
		Type: p.Type.Type, Subtype: p.Type.Subtype, Params: paramsOf(p.Type.Params),
		ID: p.ID, Description: p.Description, Encoding: p.Encoding, Size: p.Size(), Lines: p.Lines,
		MD5: p.MD5, Disposition: p.Disposition.Value, DispParams: paramsOf(p.Disposition.Params),
		Languages: p.Languages, Location: p.Location,
	}
	if inside, ok := p.Message(); ok {
		s.Envelope = envelopeOf(inside.Envelope)
		s.Message = structureOf(inside)
		return s
	}
	if p.Multipart() {
		s.Parts = make([]BodyStructure, len(p.Parts))
		for i := range p.Parts {
			s.Parts[i] = *structureOf(&p.Parts[i])
		}
		return s
	}
	switch {
	case s.Type == "multipart", s.Type == "message" && (s.Subtype == "rfc822" || s.Subtype == "global"):
		s.Type, s.Subtype = "application", "octet-stream" // it could not be opened, and must not look as if it had been
	}
	return s
}

func paramsOf(params message.Params) []Param {
	if len(params) == 0 {
		return nil
	}
	out := make([]Param, len(params))
	for i, p := range params {
		out[i] = Param{p.Name, p.Value}
	}
	return out
}
