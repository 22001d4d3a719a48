package app_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/conv/faults"
)

// Rules that would never do anything are refused before anything has begun.
func TestFaultsInVain(t *testing.T) {
	for rule, want := range map[string]string{
		"echo":                        `fault "echo": it does nothing`,
		"upper do=close":              "upper is not among the services that run (greet echo ftp)",
		"echo HELLO after=2 do=close": "echo has no verbs, so HELLO would never come",
		"greet do=lose":               "greet is not spoken in datagrams",
		"ftp RETRV do=reset":          "ftp has no verb RETRV; did you mean RETR?",
		"ftp XYZZY do=reset":          "ftp has no verb XYZZY; there are ABOR ACCT ",
		`ftp RETR reply="550 no"`:     "ftp has no replies that could be others",
		"echo do=duplicate":           "",
		"ftp RETR after=1 do=reset":   "",
		"ftp site chmod do=reset":     "",
	} {
		a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "greet=:0", "echo=:0", "ftp=:0"), Faults: []string{rule}})
		if err == nil {
			a.Close()
		}
		if want == "" && err != nil || want != "" && (!isConfigError(err) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", rule, err, want)
		}
	}
}

// The page about rules knows all that there is, and its rules are taken.
func TestPageOfFaults(t *testing.T) {
	b, err := os.ReadFile("../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, k := range faults.Keys() {
		if !strings.Contains(page, "\n| `"+k.Word+"=` |") {
			t.Errorf("the page has no key %s=", k.Word)
		}
	}
	for _, d := range faults.Deeds() {
		if !strings.Contains(page, "\n| `"+d.Word+"` |") {
			t.Errorf("the page has no deed %s", d.Word)
		}
	}
	var rules []string
	for _, found := range regexp.MustCompile("(?:--fault '|`)((?:echo|upper|ftp) [^'`]*=[^'`]*)['`]").FindAllStringSubmatch(page, -1) {
		rules = append(rules, found[1])
	}
	if len(rules) < 10 {
		t.Fatalf("only %q", rules)
	}
	a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "upper=:0", "echo=:0", "ftp=:0"), Faults: rules})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
}
