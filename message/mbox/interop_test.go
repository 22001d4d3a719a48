//go:build interop

package mbox_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/message/mbox"
)

func python(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), foreign.Python(t, 3, "mailbox"), append([]string{"-c", script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, out)
	}
	return string(out)
}

// Python's mailbox.mbox reads what we write, and we what it writes (mboxo).
func TestPythonsMailbox(t *testing.T) {
	bodies := []string{"From the start\nof it\n", "two\n\n\nFrom x\n", ""}
	ours := filepath.Join(t.TempDir(), "ours")
	f, err := os.Create(ours)
	if err != nil {
		t.Fatal(err)
	}
	w := mbox.NewWriter(f)
	for _, body := range bodies {
		if err := w.Append("joe@x.test", time.Unix(0, 0), strings.NewReader("Subject: s\r\n\r\n"+body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := python(t, `
import mailbox, sys
for m in mailbox.mbox(sys.argv[1]):
    print(repr((m.get_from(), m["Subject"], m.get_payload())))
`, ours)
	want := `('joe@x.test Thu Jan  1 00:00:00 1970', 's', '>From the start\nof it\n')
('joe@x.test Thu Jan  1 00:00:00 1970', 's', 'two\n\n\n>From x\n')
('joe@x.test Thu Jan  1 00:00:00 1970', 's', '')
`
	if got != want {
		t.Errorf("Python reads\n%swant\n%s", got, want)
	}

	theirs := filepath.Join(t.TempDir(), "theirs")
	python(t, `
import mailbox, sys
box = mailbox.mbox(sys.argv[1])
for body in sys.argv[2:]:
    box.add("Subject: s\n\n" + body)
box.close()
`, append([]string{theirs}, bodies...)...)
	f, err = os.Open(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := 0
	for m, err := range mbox.Read(f, mbox.O) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(m.Text)
		if i >= len(bodies) || string(text) != "Subject: s\n\n"+bodies[i] || err != nil {
			t.Errorf("message %d: %q, %v", i, text, err)
		}
		i++
	}
	if i != len(bodies) {
		t.Errorf("%d messages", i)
	}
}
