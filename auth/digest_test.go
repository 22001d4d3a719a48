package auth_test

import (
	"testing"

	"github.com/farend-go/farend/auth"
)

// RFC 7616 section 3.9.1, and RFC 2069's example as its erratum 749 has it.
func TestDigestAlgorithms(t *testing.T) {
	const nonce, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	for name, want := range map[string]string{
		"md5": "8ca523f5e9506fed4657c9700eebdbec", "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		a, ok := auth.FindDigestAlgorithm(name)
		if !ok {
			t.Fatal(name)
		}
		secret := a.Sum("Mufasa", "http-auth@example.org", "Circle of Life")
		if got := a.Response(secret, nonce, "00000001", cnonce, "auth", "GET", "/dir/index.html"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	a, _ := auth.FindDigestAlgorithm("")
	secret := a.Sum("Mufasa", "testrealm@host.com", "CircleOfLife")
	if got := a.Response(secret, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", "", "GET", "/dir/index.html"); got != "1949323746fe6a43ef61f9606e7febea" {
		t.Errorf("RFC 2069: %s", got)
	}
	if a, ok := auth.FindDigestAlgorithm("sha-512-256-SESS"); !ok || !a.Sess || a.Name != "SHA-512-256-sess" {
		t.Errorf("%+v", a)
	}
	for _, name := range []string{"-sess", "SHA-3000", "MD5-sess-sess"} {
		if a, ok := auth.FindDigestAlgorithm(name); ok {
			t.Errorf("%q is %s", name, a.Name)
		}
	}
}
