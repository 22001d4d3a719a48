package cli

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
)

func TestTutorial03_ListNamesEveryProtocol(t *testing.T) {
	table, objects := farend(t, "", "list"), farend(t, "", "list", "--json")
	rows := strings.Split(strings.TrimSuffix(table.out, "\n"), "\n")[1:]
	lines := strings.Split(strings.TrimSuffix(objects.out, "\n"), "\n")
	all := app.Catalogue()
	if len(rows) != len(all) || len(lines) != len(all) {
		t.Fatalf("%d services:\n%s%s", len(all), table.out, objects.out)
	}
	for i, s := range all {
		fields := strings.Fields(rows[i])
		if fields[0] != s.Name || !strings.Contains(rows[i], strconv.Itoa(s.Serve)) {
			t.Errorf("%s: %q", s.Name, rows[i])
		}
		var l listed
		if err := json.Unmarshal([]byte(lines[i]), &l); err != nil {
			t.Fatal(err)
		}
		if l.Name != s.Name || l.Port != s.Serve || l.Server != s.Server || l.Client != s.Client || len(l.Schemes) == 0 {
			t.Errorf("%s: %+v", s.Name, l)
		}
	}
	for name := range strings.FieldsSeq("http nntp ftp smtp pop3 imap telnet gopher") { // the tutorials' table
		if !slices.ContainsFunc(rows, func(row string) bool { return slices.Equal(strings.Fields(row)[:3], []string{name, "yes", "yes"}) }) {
			t.Errorf("%s has not both ends:\n%s", name, table.out)
		}
	}
	if got := farend(t, "", "list", "echo"); got.code != 2 || got.out != "" {
		t.Errorf("with an argument: %+v", got)
	}
}
