package newsgroup_test

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/store/memstore"
)

func Example() {
	ctx := context.Background()
	news := newsgroup.New(memstore.New(memstore.Options{}), newsgroup.Options{Host: "news.example"})
	for _, name := range []string{"local.test", "local.talk"} {
		if err := news.Create(ctx, newsgroup.NewGroup{Name: name}); err != nil {
			fmt.Println(err)
		}
	}
	draft, err := news.NewDraft(ctx, -1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer draft.Close()
	_, _ = io.WriteString(draft, "From: ann@example.org\r\nNewsgroups: local.test,local.talk\r\n"+
		"Subject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nHello.\r\n") // Add tells what went wrong
	fmt.Println(news.Add(ctx, draft, newsgroup.Arrival{Local: true}))
	a, err := news.Article(ctx, "local.talk", 1)
	fmt.Println(a.Xref(), err)
	// Output:
	// [{local.test 1} {local.talk 1}] <nil>
	// Xref: news.example local.test:1 local.talk:1 <nil>
}
