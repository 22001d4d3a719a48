package news_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/store/memstore"
)

func Example() {
	groups := newsgroup.New(memstore.New(memstore.Options{}), newsgroup.Options{Host: "news.example"})
	if err := groups.Create(context.Background(), newsgroup.NewGroup{Name: "local.test"}); err != nil {
		fmt.Println(err)
	}
	h := nntp.Handler{Backend: &news.Backend{Store: groups}, Host: "news.example"} // for a server.Server
	g, err := h.Backend.Group(context.Background(), "local.test")
	fmt.Println(g.Name, g.Status, g.Count, err)
	// Output: local.test y 0 <nil>
}
