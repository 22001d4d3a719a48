package auth_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
)

func TestSecrets(t *testing.T) {
	for name, s := range map[string]auth.Secret{"clear": auth.Clear("pass word"), "keys": auth.Keys("pass word"), "hash": auth.Hash("pass word")} {
		again, err := auth.ParseSecret(s.Text())
		if err != nil || again.Text() != s.Text() || again.Kinds() != s.Kinds() {
			t.Errorf("%s: %q became %q, %v", name, s.Text(), again.Text(), err)
		}
		for _, s := range []auth.Secret{s, again} {
			if !s.Matches("pass word") || s.Matches("pass wore") || s.Matches("") || s.Matches("pass word ") {
				t.Errorf("%s matches another password, or not its own", name)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("login", "secret", s)
		for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q", s, s, s, s), log.String()} {
			if strings.Contains(text, "pass word") || strings.Contains(text, "argon2id") {
				t.Errorf("%s prints as %s", name, text)
			}
		}
	}
	both, err := auth.ParseSecret(auth.Hash("a").Text() + " " + auth.Keys("a").Text())
	if err != nil || both.Kinds() != auth.KindArgon2|auth.KindSHA1|auth.KindSHA256 || !both.Matches("a") {
		t.Errorf("both: %v, %v", both.Kinds(), err)
	}
	for _, s := range []auth.Secret{{}, auth.Clear(""), auth.Keys(""), auth.Hash("")} {
		if s.Matches("") {
			t.Errorf("%q matches an empty password", s.Text())
		}
	}
	if !auth.Any().Matches("") || !auth.Any().Matches("x") {
		t.Error("Any does not match")
	}
}

// TestSecretsOfOthers reads what other programs have written.
func TestSecretsOfOthers(t *testing.T) {
	for _, c := range []struct{ text, password string }{
		// RFC 5803 has the form, RFC 7677 section 3 the exchange that proves the keys.
		{"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil"},
		// The test vector "argon2id" of the reference implementation's README.
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
	} {
		s, err := auth.ParseSecret(c.text)
		if err != nil || !s.Matches(c.password) || s.Matches(c.password+"x") || s.Text() != c.text {
			t.Errorf("%q: %v, %q", c.text, err, s.Text())
		}
	}
}

func TestPrepare(t *testing.T) {
	for in, want := range map[string]string{ // RFC 4013 section 3
		"I\u00adX": "IX", "user": "user", "USER": "USER", "\u00aa": "a", "\u2168": "IX",
		"\u00ad": "", "a\x00b": "", "pass\U0001f511": "pass\U0001f511", "caf\xe9": "caf\xe9", "\u00a0": " ",
	} {
		if got := auth.Prepare(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, s := range []auth.Secret{auth.Clear("a"), auth.Keys("a"), auth.Hash("a"), auth.Any()} {
		f.Add(s.Text())
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := auth.ParseSecret(text)
		if err != nil {
			return
		}
		again, err := auth.ParseSecret(s.Text())
		if err != nil || again.Text() != s.Text() {
			t.Errorf("%q became %q, then %q: %v", text, s.Text(), again.Text(), err)
		}
	})
}
