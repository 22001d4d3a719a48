package message

import "strings"

// BaseSubject gives what is left of a subject without "Re:", "[list]", "(fwd)"
// and their kin, by which messages are sorted and put into threads, and
// whether any of these said that it is a reply or was forwarded. The subject
// is the field's value; its encoded words are decoded. RFC 5256 2.1.
func BaseSubject(subject string) (base string, reply bool) {
	s := strings.Join(strings.FieldsFunc(DecodeText(subject), func(r rune) bool { return r < 0x80 && isSpace(byte(r)) }), " ")
	for {
		var trailed, led, forwarded bool
		s, trailed = cutTrailers(s)
		s, led = cutLeaders(s)
		s, forwarded = cutForward(s)
		reply = reply || trailed || led || forwarded
		if !forwarded {
			return s, reply
		}
	}
}

// cutTrailers takes "(fwd)" and blanks from the end: step 2.
func cutTrailers(s string) (string, bool) {
	found := false
	for {
		s = strings.TrimRight(s, " ")
		n := len(s) - len("(fwd)")
		if n < 0 || !strings.EqualFold(s[n:], "(fwd)") {
			return s, found
		}
		s, found = s[:n], true
	}
}

// cutLeaders takes "[blob] Re:" and, where something is left then, "[blob]"
// from the beginning: steps 3 to 5. All blobs are passed at once: that one of
// them is gone does not bring a "Re:" behind the others.
func cutLeaders(s string) (string, bool) {
	found := false
	for {
		s = strings.TrimLeft(s, " ")
		after, last := s, s // behind all blobs, and behind all but the last
		for {
			rest, ok := cutBlob(after)
			if !ok {
				break
			}
			after, last = rest, after
		}
		if rest, ok := cutReply(after); ok {
			s, found = rest, true
			continue
		}
		if after != "" {
			return after, found
		}
		return last, found
	}
}

// cutBlob takes "[...]" and the blanks behind it: subj-blob.
func cutBlob(s string) (string, bool) {
	if !strings.HasPrefix(s, "[") {
		return s, false
	}
	end := strings.IndexAny(s[1:], "[]")
	if end < 0 || s[1+end] == '[' {
		return s, false
	}
	return strings.TrimLeft(s[1+end+1:], " "), true
}

// cutReply takes "Re:", "Fw [blob]:" and so on: subj-refwd.
func cutReply(s string) (string, bool) {
	for _, word := range [...]string{"re", "fwd", "fw"} {
		rest, ok := cutPrefixFold(s, word)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		rest, _ = cutBlob(rest)
		if rest, ok = strings.CutPrefix(rest, ":"); ok {
			return rest, true
		}
	}
	return s, false
}

// cutForward opens "[Fwd: ...]": step 6.
func cutForward(s string) (string, bool) {
	rest, ok := cutPrefixFold(s, "[fwd:")
	if !ok || !strings.HasSuffix(rest, "]") {
		return s, false
	}
	return strings.TrimSuffix(rest, "]"), true
}
