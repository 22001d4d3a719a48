package imap

import (
	"regexp"
	"strings"
	"testing"
)

// TestVerbs holds the table to its form.
func TestVerbs(t *testing.T) {
	section := regexp.MustCompile(`^RFC \d+ \d+(\.\d+)*(, (\d+ )?\d+(\.\d+)*)*$`)
	for name, v := range verbTable() {
		if name != strings.ToUpper(name) || v.do == nil {
			t.Errorf("%s is no verb", name)
		}
		if !section.MatchString(v.rfc) {
			t.Errorf("%s: %q names no section", name, v.rfc)
		}
		if (v.args == none) != (v.usage == "") {
			t.Errorf("%s: %q does not go with its arguments", name, v.usage)
		}
		if v.numbers && v.when != inMailbox {
			t.Errorf("%s has sequence numbers without a mailbox", name)
		}
	}
}
