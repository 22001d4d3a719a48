package transfer

import "testing"

func TestHostsOfURLs(t *testing.T) {
	for _, good := range []string{"http://localhost/", "http://127.0.0.1:80/", "ftp://[::1]/", "http://bücher.example/", "http://a_b/", "file:///x", "data:,x", "http://[fe80::1%25lo]/"} {
		if _, err := ParseURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, odd := range []string{"http://127.1/", "ftp://2130706433/", "gopher://0x7f.1:70/", "http://0177.0.0.1", "127.1", "http://１２７.１/", "http://<broadcast>/"} {
		if u, err := ParseURL(odd); err == nil || Code(err) != CodeUsage {
			t.Errorf("%s: %v, %v", odd, u, err)
		}
	}
}
