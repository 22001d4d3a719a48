package pages_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/farend-go/farend/internal/pages"
)

const page = "# A page\n\nIt leads [on](next.md#there), [out](https://example.org/) and [down](#below).\n\n" +
	"```go\nf(a[0](b))\n```\n\n```text\n1\n\n2\n```\nand\n```go\ng()\n```\n"

func Example() {
	fmt.Printf("%q\n", pages.Blocks(page, "go"))
	fmt.Println(pages.Links(page))
	// Output:
	// ["f(a[0](b))\n" "g()\n"]
	// [next.md]
}

func TestPages(t *testing.T) {
	if got, want := pages.Blocks(page, "text"), []string{"1\n\n2\n"}; !slices.Equal(got, want) {
		t.Errorf("blocks %q, want %q", got, want)
	}
	want := "\n# A page\n\nIt leads [on](next.md#there), [out](https://example.org/) and [down](#below).\n\n\nand\n"
	if got := pages.Prose(page); got != want {
		t.Errorf("prose %q, want %q", got, want)
	}
	if got := pages.Blocks("```go\nat the top\n```", "go"); !slices.Equal(got, []string{"at the top\n"}) {
		t.Errorf("a page that begins with a block: %q", got)
	}
	if got := pages.Blocks("no block\n", ""); got != nil {
		t.Errorf("no block: %q", got)
	}
}
