package letters

import (
	"slices"
	"strings"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/message/maildir"
	"github.com/farend-go/farend/proto/imap"
)

// letterFlags are the flags that have a letter in a Maildir.
var letterFlags = []struct {
	letter string
	flag   imap.Flag
}{
	{maildir.Passed, imap.Forwarded}, {maildir.Replied, imap.Answered}, {maildir.Seen, imap.Seen},
	{maildir.Trashed, imap.Deleted}, {maildir.Draft, imap.Draft}, {maildir.Flagged, imap.Flagged},
}

// fromLetters are the flags of a message in a Maildir; keywords are those that
// small letters stand for, "" where one stands for nothing.
func fromLetters(letters maildir.Flags, keywords []string) []imap.Flag {
	var flags []imap.Flag
	for _, known := range letterFlags {
		if letters.Has(known.letter) {
			flags = append(flags, known.flag)
		}
	}
	for i, k := range keywords {
		if k != "" && letters.Has(string(rune('a'+i))) && !imap.HasFlag(flags, imap.Flag(k)) {
			flags = append(flags, imap.Flag(k))
		}
	}
	return flags
}

// toLetters are the letters of flags; number gives the number of a keyword, and
// -1 where there is no room for it.
func toLetters(flags []imap.Flag, number func(keyword string) int) maildir.Flags {
	var letters []byte
next:
	for _, f := range flags {
		for _, known := range letterFlags {
			if f.Is(known.flag) {
				letters = append(letters, known.letter...)
				if !f.Is(imap.Forwarded) { // which dovecot has as a keyword alone
					continue next
				}
			}
		}
		if strings.HasPrefix(string(f), `\`) {
			continue
		}
		if n := number(string(f)); n >= 0 {
			letters = append(letters, byte('a'+n))
		}
	}
	return maildir.ParseFlags(string(letters))
}

// statusFields are those that programs which keep mail in an mbox put into each
// message. They belong to the mailbox and are no part of the message.
var statusFields = []string{"Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase"}

// fromStatus are the flags that a header tells.
func fromStatus(header []byte) []imap.Flag {
	var flags []imap.Flag
	for name, value := range fields(message.SelectFields(nil, header, statusFields, false)) {
		switch strings.ToLower(name) {
		case "status", "x-status":
			for _, known := range []struct {
				letter string
				flag   imap.Flag
			}{{"R", imap.Seen}, {"A", imap.Answered}, {"F", imap.Flagged}, {"T", imap.Draft}, {"D", imap.Deleted}} {
				if strings.Contains(value, known.letter) && !slices.Contains(flags, known.flag) {
					flags = append(flags, known.flag)
				}
			}
		case "x-keywords":
			for k := range strings.FieldsSeq(value) {
				if f := imap.Flag(k); f.Valid() && !strings.HasPrefix(k, `\`) && !imap.HasFlag(flags, f) {
					flags = append(flags, f)
				}
			}
		}
	}
	return flags
}

// toStatus is the fields that tell of flags.
func toStatus(flags []imap.Flag) []byte {
	status, x, keywords := "O", "", ""
	for _, f := range flags {
		switch {
		case f.Is(imap.Seen):
			status = "RO"
		case f.Is(imap.Answered):
			x += "A"
		case f.Is(imap.Flagged):
			x += "F"
		case f.Is(imap.Draft):
			x += "T"
		case f.Is(imap.Deleted):
			x += "D"
		case !strings.HasPrefix(string(f), `\`):
			keywords += " " + string(f)
		}
	}
	b := []byte("Status: " + status + "\r\n")
	if x != "" {
		b = append(b, "X-Status: "+x+"\r\n"...)
	}
	if keywords != "" {
		b = append(b, "X-Keywords:"+keywords+"\r\n"...)
	}
	return b
}

// fields are the fields of a header with CRLF line ends, unfolded.
func fields(header []byte) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		text := strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(string(header))
		for line := range strings.SplitSeq(text, "\r\n") {
			name, value, ok := strings.Cut(line, ":")
			if ok && !yield(strings.TrimSpace(name), strings.TrimSpace(value)) {
				return
			}
		}
	}
}

// split takes a message with CRLF line ends apart: the header with the empty
// line behind it, and the rest.
func split(text []byte) (header, body []byte) {
	at := 0
	for at < len(text) {
		end := at + lineEnd(text[at:])
		if end-at == 2 && text[at] == '\r' {
			return text[:end], text[end:]
		}
		at = end
	}
	return text, nil
}

func lineEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] == '\n' && b[i-1] == '\r' {
			return i + 1
		}
	}
	return len(b)
}

// strip is a header without the fields that belong to the mailbox.
func strip(header []byte) []byte {
	out := make([]byte, 0, len(header))
	dropped := false
	for at := 0; at < len(header); {
		end := at + lineEnd(header[at:])
		line := header[at:end]
		at = end
		if folded := line[0] == ' ' || line[0] == '\t'; !folded {
			name, _, _ := strings.Cut(string(line), ":")
			dropped = slices.ContainsFunc(statusFields, func(f string) bool { return strings.EqualFold(f, name) })
		}
		if !dropped {
			out = append(out, line...)
		}
	}
	return out
}
