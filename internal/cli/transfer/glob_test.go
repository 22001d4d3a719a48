package transfer

import (
	"slices"
	"testing"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"http://h/a", []string{"http://h/a"}},
		{"http://h/[1-3]", []string{"http://h/1", "http://h/2", "http://h/3"}},
		{"http://h/[08-10]", []string{"http://h/08", "http://h/09", "http://h/10"}},
		{"http://h/[1-10:4].x", []string{"http://h/1.x", "http://h/5.x", "http://h/9.x"}},
		{"http://h/[a-c]", []string{"http://h/a", "http://h/b", "http://h/c"}},
		{"http://{a,b}/[1-2]", []string{"http://a/1", "http://a/2", "http://b/1", "http://b/2"}},
		{"http://[::1]:80/{x}", []string{"http://[::1]:80/x"}},
		{"http://[fe80::1-2]/", []string{"http://[fe80::1-2]/"}},
		{`data:application/json,{"a":[1-3]}`, []string{`data:application/json,{"a":[1-3]}`}},
	} {
		got, err := Glob(c.pattern)
		var urls []string
		for _, g := range got {
			urls = append(urls, g.URL)
		}
		if err != nil || !slices.Equal(urls, c.want) {
			t.Errorf("%s: %q, %v", c.pattern, urls, err)
		}
	}
	for _, bad := range []string{"http://h/[1-3", "http://h/{a", "http://h/[3-1]", "http://h/[1-9:0]", "http://h/[1-99999999]", "http://h/[1-9999][1-9999]"} {
		if got, err := Glob(bad); err == nil || Code(err) != CodeUsage {
			t.Errorf("%s: %d URLs, %v", bad, len(got), err)
		}
	}
	got, err := Glob("http://h/{a,b}/[1-2]")
	if err != nil || got[3].Fill("#2-of-#1#3") != "2-of-b#3" {
		t.Errorf("%q, %v", got, err)
	}
}
