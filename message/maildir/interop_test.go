//go:build interop

package maildir_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/message/maildir"
)

// Python's mailbox.Maildir reads our messages and flags, and we read its.
func TestPythonsMaildir(t *testing.T) {
	python := foreign.Python(t, 3, "mailbox")
	d, dir := create(t)
	deliver(t, d, "Subject: ours\n\nx\n", "")
	deliver(t, d, "Subject: seen\n\nx\n", maildir.Seen+maildir.Replied)
	out, err := exec.CommandContext(t.Context(), python, "-c", `
import mailbox, sys
box = mailbox.Maildir(sys.argv[1], create=False)
print(sorted((m["Subject"], m.get_subdir(), m.get_flags()) for m in box))
m = mailbox.MaildirMessage("Subject: theirs\n\ny\n")
m.set_subdir("cur")
m.set_flags("FS")
box.add(m)
box.add_folder("Sent")
`, dir).CombinedOutput()
	if want := "[('ours', 'new', ''), ('seen', 'cur', 'RS')]\n"; err != nil || string(out) != want {
		t.Fatalf("Python says %s, %v, want %s", out, err, want)
	}
	var got []string
	for _, e := range entries(t, d) {
		text := content(t, d, e)
		got = append(got, text[len("Subject: "):strings.IndexByte(text, '\n')]+":"+string(e.Flags))
	}
	if s := strings.Join(got, " "); !strings.Contains(s, "theirs:FS") || len(got) != 3 {
		t.Errorf("%s", s)
	}
	if folders, err := d.Folders(); len(folders) != 1 || folders[0] != "Sent" || err != nil {
		t.Errorf("%q, %v", folders, err)
	}
}
