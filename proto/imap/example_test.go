package imap_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/imap"
)

func ExampleParseFetched() {
	line := "(UID 7 FLAGS (\\Seen) BODY[1] {5}\r\nhello)"
	f, err := imap.ParseFetched([]byte(line))
	fmt.Println(f.UID, f.Flags, string(f.Pieces[0].Data), err)
	// Output: 7 [\Seen] hello <nil>
}

func ExampleSearch() {
	s, err := imap.ParseSearch([]byte(`RETURN (MIN COUNT) UNSEEN FROM "Smith" OR SINCE 1-Feb-1994 LARGER 1000`))
	fmt.Println(s.Return.Min, s.Key.Name, len(s.Key.Keys), err)
	fmt.Println(string(s.Append(0, nil)))
	// Output:
	// true AND 3 <nil>
	// RETURN (MIN COUNT) UNSEEN FROM Smith OR SINCE 1-Feb-1994 LARGER 1000
}
