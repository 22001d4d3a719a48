package message

import "strings"

// Envelope is what IMAP calls so: the fields of a message's header that a list
// of messages shows. RFC 9051 7.5.2.
type Envelope struct {
	// Date and Subject are unfolded, not decoded.
	Date, Subject string
	// Sender and ReplyTo are From where the field is missing or empty.
	From, Sender, ReplyTo, To, Cc, Bcc []Address
	// InReplyTo and MessageID are unfolded, as they stand; see [ParseMessageIDs].
	InReplyTo, MessageID string
	// References is no part of IMAP's envelope; threads want it.
	References []string
}

// once are the fields that a message may have at most once (RFC 5322 3.6).
var once = [...]string{"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject"}

// readEnvelope reads the envelope and tells what is wrong with its fields. Of a
// field that stands twice the first is taken, but all addresses are.
func readEnvelope(h Header, wrong func(DefectKind, Field)) *Envelope {
	e := new(Envelope)
	var seen [len(once)]bool
	for _, f := range h.Fields {
		which := onceIndex(f.Name)
		if which < 0 {
			continue
		}
		again := seen[which]
		seen[which] = true
		if again {
			wrong(DuplicateField, f)
		}
		if list := e.addressesOf(which); list != nil {
			more, err := ParseAddresses(f.Value())
			*list = append(*list, more...)
			if err != nil {
				wrong(InvalidAddress, f)
			}
			continue
		}
		if again {
			continue
		}
		if kind := e.setText(once[which], f.Value()); kind != 0 {
			wrong(kind, f)
		}
	}
	if len(e.Sender) == 0 {
		e.Sender = e.From
	}
	if len(e.ReplyTo) == 0 {
		e.ReplyTo = e.From
	}
	return e
}

func onceIndex(name string) int {
	for i, n := range once {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

// addressesOf gives where the addresses of a field go, if it has some.
func (e *Envelope) addressesOf(which int) *[]Address {
	lists := [...]*[]Address{1: &e.From, &e.Sender, &e.ReplyTo, &e.To, &e.Cc, &e.Bcc}
	if which >= len(lists) {
		return nil
	}
	return lists[which]
}

// setText takes a field that is no list of addresses, and tells what is wrong
// with it, or 0.
func (e *Envelope) setText(name, value string) DefectKind {
	switch name {
	case "Date":
		e.Date = value
		if _, err := ParseDate(value); err != nil {
			return InvalidDate
		}
	case "Subject":
		e.Subject = value
		if _, bad := decodeWords(value); bad {
			return InvalidEncodedWord
		}
	case "Message-ID":
		e.MessageID = value
	case "In-Reply-To":
		e.InReplyTo = value
	case "References":
		e.References = ParseMessageIDs(value)
	}
	return 0
}
