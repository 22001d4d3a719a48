package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/farend-go/farend/examples"
	"github.com/farend-go/farend/internal/cli"
)

func TestExample(t *testing.T) {
	run := func(t *testing.T, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := cli.Main(t.Context(), args, strings.NewReader(""), &out, &errs, nil)
		return code, out.String(), errs.String()
	}
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := run(t, "example")
	if code != 0 || strings.Count(out, "\n") != len(all) {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	for _, p := range all {
		if code, out, errs := run(t, "example", p.Name); code != 0 || out != p.Go || errs != "" {
			t.Errorf("%s: exit %d, %d bytes, %q", p.Name, code, len(out), errs)
		}
		if code, out, _ := run(t, "example", "--python", p.Name); code != 0 || out != p.Py {
			t.Errorf("%s --python: exit %d, %d bytes", p.Name, code, len(out))
		}
	}
	code, out, errs = run(t, "example", "echo-servr")
	if code != 2 || out != "" || !strings.Contains(errs, `did you mean "echo-server"?`) || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	if code, _, errs := run(t, "example", "a", "b"); code != 2 || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, %q", code, errs)
	}
}
